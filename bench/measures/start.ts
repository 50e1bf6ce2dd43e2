import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { vcapServices } from '../../lab/bindings.ts'
import { makeBareContainer } from '../../lab/cloudfoundry/bare-container.ts'
import { machinePhp } from '../../lab/php/installed.ts'
import { makeScratch } from '../../lab/processes/scratch.ts'
import { type Benchmark, countSteps } from '../benchmark.ts'
import { compareStarts, type StartContender } from '../parts/starts.ts'

// One start in a container of php_buildpack 5: from exec to a written ini; and what exec adds to the start of a command.

const DIST = join(import.meta.dirname, '../../dist')
const EXEC = `${DIST}/php-sessions exec -- /bin/true`

export const start: Benchmark = async (run) => {
  const rounds = run.pick(5, 9)
  const many = run.pick(60, 200)
  const launches: Record<string, StartContender> = {
    'a static `true`': { command: compileTrue(), starts: many, place: inContainer },
    'php-sessions launch': { command: `${DIST}/php-sessions launch`, starts: many, place: inContainer },
    'node php-sessions.mjs launch': {
      command: `${process.execPath} ${DIST}/php-sessions.mjs launch`,
      starts: 5,
      place: inContainer,
    },
  }
  const commands: Record<string, StartContender> = {
    '/bin/true': inDirectory('/bin/true'),
    'exec -- /bin/true, nothing bound': inDirectory(EXEC),
    'exec -- /bin/true, Redis bound': inDirectory(EXEC, { REDIS_URL: 'redis://:p@127.0.0.1:6379' }),
    "php -r ''": inDirectory("php -r ''"),
  }
  const step = countSteps(run, rounds * [launches, commands].flatMap(Object.keys).length)
  return {
    versions: { php: machinePhp().name },
    conditions: [
      'launch: from exec to a written ini, with a php.ini of 70 KB as PHP ships it',
      'exec: the start and the end of a command; with Redis bound, PHP is asked for its extensions',
    ],
    tables: {
      launch: await compareStarts(rounds, launches, step),
      exec: await compareStarts(rounds, commands, step),
    },
  }
}

const inDirectory = (command: string, env: Readonly<Record<string, string>> = {}): StartContender => ({
  command,
  starts: 20,
  place: () => ({ env: { PATH: process.env.PATH, ...env }, cwd: makeScratch('bench') }),
})

function compileTrue(): string {
  const directory = makeScratch('bench')
  const program = join(directory, 'true')
  writeFileSync(`${program}.c`, 'int main(void) { return 0; }\n')
  // As the executable is made, with the same C library.
  const link = `. scripts/parts/lib.sh && . scripts/parts/native.sh && use_machine "$(uname -m)" && link_program "$1" "$1.c"`
  execFileSync('bash', ['-euo', 'pipefail', '-c', link, 'bash', program], { cwd: join(DIST, '..') })
  return program
}

function inContainer() {
  // As long as the php.ini that comes with PHP.
  const comments = '; what the next setting means, and its default\n'.repeat(1500)
  const { env } = makeBareContainer(`${comments}max_execution_time = 30\n`)
  const credentials = { host: '10.0.4.30', port: 6379, password: 'p,w +%&' }
  const service = { name: 'app-redis-sessions', label: 'p.redis', tags: ['redis'], credentials }
  return { env: { ...env, VCAP_SERVICES: vcapServices(service) } }
}
