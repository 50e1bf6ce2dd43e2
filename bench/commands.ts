import { once } from 'node:events'
import { connect } from 'node:net'
import type { Redis } from '../lab/redis/options.ts'

/** What ran, and how many commands. */
export interface Counted<Result> {
  readonly result: Result
  readonly commands: number
}

/** Not the pages', but ours. */
const OURS = /^(info|config|monitor|command)/

/**
 * Counts all commands while something runs, those of scripts, logins and those that are refused or sent elsewhere
 * included; nobody else may ask these nodes.
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
  const told = node.cli('INFO', 'commandstats')
  const lines = told.matchAll(/^cmdstat_([^:]+):calls=(\d+),.*rejected_calls=(\d+)/gm)
  const counts = [...lines].filter(([, name = '']) => !OURS.test(name))
  // One login was that of INFO.
  return counts.reduce((sum, [, , calls, refused]) => sum + Number(calls) + Number(refused), -1)
}

/** What one page asks the nodes, and how much of that scripts do there; MONITOR tells, which slows them down. */
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
  // Three of each node are ours: the login of the monitor, the ECHO and its login.
  const all = commands - 3 * nodes.length
  return { commands: all / pages, roundTrips: (all - inScripts) / pages }
}

/** Counts the commands that scripts give until it is called; logs in twice. */
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
