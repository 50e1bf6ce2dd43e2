import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { makeScratch } from '../lab/processes/scratch.ts'
import { medians } from './medians.ts'

const ROUNDS = 9
const STARTS = 40
const EXEC = `${join(import.meta.dirname, '../dist/php-sessions')} exec -- `
const BOUND = { REDIS_URL: 'redis://:p@127.0.0.1:6379' }

/** What exec adds to the start of a command; with a store bound most of it is PHP, which tells its extensions. */
const contenders = [
  { name: '/bin/true', command: '/bin/true', env: {} },
  { name: 'exec -- /bin/true, nothing bound', command: `${EXEC}/bin/true`, env: {} },
  { name: 'exec -- /bin/true, Redis bound', command: `${EXEC}/bin/true`, env: BOUND },
  { name: "php -r '', for comparison", command: "php -r ''", env: {} },
] as const

const times = medians(
  ROUNDS,
  Object.fromEntries(contenders.map(({ name, command, env }) => [name, () => measure(command, env)])),
)
const [base] = Object.values(times)
process.stdout.write(`start and end of a command, median of ${ROUNDS} alternating rounds\n`)
for (const [name, milliseconds] of Object.entries(times))
  process.stdout.write(
    `  ${name.padEnd(40)} ${milliseconds.toFixed(2).padStart(7)} ms  ${(milliseconds / (base ?? 1)).toFixed(1).padStart(6)} x\n`,
  )

/** Milliseconds for one start; a shell starts many, so that what Node needs to start a program is not in it. */
function measure(command: string, env: Readonly<Record<string, string>>): number {
  const script = `for ((i = 0; i < ${STARTS}; i++)); do ${command} > /dev/null 2>&1; done`
  const options = { env: { PATH: process.env.PATH, ...env }, cwd: makeScratch('bench') }
  const before = process.hrtime.bigint()
  execFileSync('bash', ['--norc', '-c', script], options)
  return Number(process.hrtime.bigint() - before) / 1e6 / STARTS
}
