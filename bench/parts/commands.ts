import { once } from 'node:events'
import { connect } from 'node:net'
import type { Redis } from '../../lab/redis/options.ts'

/** The result of a run, and how many commands the nodes got meanwhile. */
export interface Counted<Result> {
  readonly result: Result
  readonly commands: number
}

/** Commands of the benchmark itself, not of the pages. */
const OWN_COMMANDS = /^(info|config|monitor|command)/

/**
 * Counts all commands that these nodes get while something runs: also logins, the commands of scripts, and commands that
 * are refused or redirected. Nothing else may ask the nodes meanwhile.
 */
export async function countCommands<Result>(
  nodes: readonly Redis[],
  run: () => Promise<Result>,
): Promise<Counted<Result>> {
  for (const node of nodes) node.cli('CONFIG', 'RESETSTAT')
  const result = await run()
  return { result, commands: nodes.reduce((sum, node) => sum + countedBy(node), 0) }
}

function countedBy(node: Redis): number {
  const statistics = node.cli('INFO', 'commandstats')
  const lines = statistics.matchAll(/^cmdstat_([^:]+):calls=(\d+),.*rejected_calls=(\d+)/gm)
  const counts = [...lines].filter(([, name = '']) => !OWN_COMMANDS.test(name))
  // One login was the one for INFO.
  return counts.reduce((sum, [, , calls, refused]) => sum + Number(calls) + Number(refused), -1)
}

/** Counts a page's commands and round trips. MONITOR shows which commands scripts give, and slows the nodes down. */
export async function countRoundTrips(
  nodes: readonly Redis[],
  password: string,
  pages: number,
  run: () => Promise<unknown>,
): Promise<{ readonly commands: number; readonly roundTrips: number }> {
  const { result: inScripts, commands } = await countCommands(nodes, async () => {
    const monitors = await Promise.all(nodes.map((node) => startMonitor(node, password)))
    await run()
    return (await Promise.all(monitors.map((stop) => stop()))).reduce((sum, count) => sum + count, 0)
  })
  // Three per node are the benchmark's: the login of the monitor, the ECHO and its login.
  const all = commands - 3 * nodes.length
  return { commands: all / pages, roundTrips: (all - inScripts) / pages }
}

/** Counts the commands of scripts until the returned function is called; logs in twice. */
async function startMonitor(node: Redis, password: string): Promise<() => Promise<number>> {
  const monitor = connect(node.port, node.host)
  let seen = ''
  monitor.setEncoding('latin1').on('data', (text: string) => {
    seen += text
  })
  monitor.write(`AUTH ${password}\r\nMONITOR\r\n`)
  while (!seen.startsWith('+OK\r\n+OK\r\n')) await once(monitor, 'data')
  return async () => {
    node.cli('ECHO', 'the end')
    while (!seen.includes('the end')) await once(monitor, 'data')
    monitor.destroy()
    return seen.match(/^\+[\d.]+ \[\d+ lua\]/gm)?.length ?? 0
  }
}
