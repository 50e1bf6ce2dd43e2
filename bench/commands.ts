import { once } from 'node:events'
import { connect } from 'node:net'
import type { Redis } from '../lab/redis.ts'

/** What ran, and how many commands. */
export interface Counted<Result> {
  readonly result: Result
  readonly commands: number
}

/** Not the pages', but ours. */
const OURS = /^(info|config|monitor|command)/

/** Counts all commands while something runs, those of scripts and logins included; nobody else may ask this Redis. */
export async function countCommands<Result>(
  redis: Redis,
  run: () => Promise<Result>,
): Promise<Counted<Result>> {
  redis.cli('CONFIG', 'RESETSTAT')
  const result = await run()
  const told = redis.cli('INFO', 'commandstats').matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)
  const calls = [...told].filter(([, name = '']) => !OURS.test(name)).map(([, , count]) => Number(count))
  // One login was that of INFO.
  return { result, commands: calls.reduce((sum, count) => sum + count, -1) }
}

/** Counts the commands that scripts give, by MONITOR, which slows Redis down; logs in once. */
export async function countInScripts<Result>(
  redis: Redis,
  password: string,
  run: () => Promise<Result>,
): Promise<Counted<Result>> {
  const monitor = connect(redis.port, redis.host)
  let seen = ''
  monitor.setEncoding('latin1').on('data', (text: string) => {
    seen += text
  })
  monitor.write(`AUTH ${password}\r\nMONITOR\r\n`)
  while (!seen.startsWith('+OK\r\n+OK\r\n')) await once(monitor, 'data')
  const result = await run()
  redis.cli('ECHO', 'the end')
  while (!seen.includes('the end')) await once(monitor, 'data')
  monitor.destroy()
  return { result, commands: seen.match(/^\+[\d.]+ \[\d+ lua\]/gm)?.length ?? 0 }
}
