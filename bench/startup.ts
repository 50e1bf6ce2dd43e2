import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeBareContainer } from '../lab/cloudfoundry/bare-container.ts'
import { makeScratch } from '../lab/processes/scratch.ts'
import { medians } from './medians.ts'

const ROUNDS = 9
const ROOT = join(import.meta.dirname, '..')

/** One start: from exec to a written ini, as in a container of php_buildpack 5. */
const contenders = prepare()

const times = medians(
  ROUNDS,
  Object.fromEntries(contenders.map(({ name, command, starts }) => [name, () => measure(command, starts)])),
)
const [base] = Object.values(times)
process.stdout.write(`start to a written ini, median of ${ROUNDS} alternating rounds\n`)
for (const [name, milliseconds] of Object.entries(times))
  process.stdout.write(
    `  ${name.padEnd(40)} ${milliseconds.toFixed(2).padStart(7)} ms  ${(milliseconds / (base ?? 1)).toFixed(1).padStart(6)} x\n`,
  )

/** Milliseconds for one start; a shell starts many, so that what Node needs to start a program is not in it. */
function measure(command: string, starts: number): number {
  const script = `for ((i = 0; i < ${starts}; i++)); do ${command} > /dev/null 2>&1; done`
  const env = environment()
  const before = process.hrtime.bigint()
  execFileSync('bash', ['-c', script], { env })
  return Number(process.hrtime.bigint() - before) / 1e6 / starts
}

function prepare() {
  const directory = makeScratch('bench')
  writeFileSync(join(directory, 'true.c'), 'int main(void) { return 0; }\n')
  const isTrue = join(directory, 'true')
  execFileSync('musl-gcc', ['-static', '-Os', '-o', isTrue, join(directory, 'true.c')])
  return [
    { name: 'a static `true`', command: isTrue, starts: 200 },
    { name: 'php-sessions launch', command: `${ROOT}/dist/php-sessions launch`, starts: 200 },
    {
      name: 'node php-sessions.mjs launch',
      command: `${process.execPath} ${ROOT}/dist/php-sessions.mjs launch`,
      starts: 10,
    },
  ]
}

function environment() {
  // As long as the one that comes with PHP.
  const comments = '; what the next setting means, and its default\n'.repeat(1500)
  const { env } = makeBareContainer(`${comments}max_execution_time = 30\n`)
  const credentials = { host: '10.0.4.30', port: 6379, password: 'p,w +%&' }
  return {
    ...env,
    VCAP_SERVICES: JSON.stringify({
      'p.redis': [{ name: 'app-redis-sessions', tags: ['redis'], credentials }],
    }),
  }
}
