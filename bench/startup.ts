import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { vcapServices } from '../lab/bindings.ts'
import { makeBareContainer } from '../lab/cloudfoundry/bare-container.ts'
import { makeScratch } from '../lab/processes/scratch.ts'
import { compareStarts } from './starts.ts'

// One start in a container of php_buildpack 5: from exec to a written ini.

const DIST = join(import.meta.dirname, '../dist')

await compareStarts('start to a written ini', [
  { name: 'a static `true`', command: compileTrue(), starts: 200, place },
  { name: 'php-sessions launch', command: `${DIST}/php-sessions launch`, starts: 200, place },
  {
    name: 'node php-sessions.mjs launch',
    command: `${process.execPath} ${DIST}/php-sessions.mjs launch`,
    starts: 10,
    place,
  },
])

function compileTrue(): string {
  const directory = makeScratch('bench')
  const program = join(directory, 'true')
  writeFileSync(`${program}.c`, 'int main(void) { return 0; }\n')
  execFileSync('musl-gcc', ['-static', '-Os', '-o', program, `${program}.c`])
  return program
}

function place() {
  // As long as the php.ini that comes with PHP.
  const comments = '; what the next setting means, and its default\n'.repeat(1500)
  const { env } = makeBareContainer(`${comments}max_execution_time = 30\n`)
  const credentials = { host: '10.0.4.30', port: 6379, password: 'p,w +%&' }
  const service = { name: 'app-redis-sessions', label: 'p.redis', tags: ['redis'], credentials }
  return { env: { ...env, VCAP_SERVICES: vcapServices(service) } }
}
