import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { redisService, vcapServices } from '../../lab/bindings.ts'
import { makeBareContainer } from '../../lab/cloudfoundry/bare-container.ts'
import { makeScratch } from '../../lab/processes/scratch.ts'
import { EXECUTABLE } from '../support/homes/cloudfoundry.ts'
import { makeTree } from '../support/host/trees.ts'

// What a start costs is mostly the processes that it starts, so they are counted. No test measures the time.

/** In a namespace of its own, a process has the next number: 1 is this shell, 2 php-sessions. */
const COUNT = '"$@" >/dev/null 2>&1; sh -c \'echo $$\'; :'
const canUnshare = spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0

/** How many processes php-sessions starts. */
function countChildren(args: readonly string[], env: NodeJS.ProcessEnv): number {
  const words = ['--pid', '--fork', 'bash', '--norc', '-c', COUNT, 'bash', EXECUTABLE, ...args]
  const { stdout } = spawnSync('unshare', words, { env, encoding: 'utf8', cwd: makeScratch('count') })
  return Number(stdout) - 3
}

describe.each([
  ['a bound Redis', { VCAP_SERVICES: vcapServices(redisService) }],
  ['nothing bound', { VCAP_SERVICES: '{}' }],
])('with %s', (_what, bound) => {
  test('launch starts no process, whatever is in the app', ({ skip }) => {
    if (!canUnshare) skip('unshare --pid does not work here')
    const { env, phpIni } = makeBareContainer('')
    makeTree(env.HOME)
    mkdirSync(join(env.HOME, '.bp-config/nginx'), { recursive: true })
    writeFileSync(join(env.HOME, '.bp-config/nginx/app.conf'), 'fastcgi_param PHP_VALUE "session.name=X";\n')
    // Which are linked to others is looked up.
    writeFileSync(phpIni, 'extension=redis\nextension=igbinary\n')
    expect(countChildren(['launch'], { PATH: process.env.PATH, ...env, ...bound })).toBe(0)
  })
})

const URL = { REDIS_URL: 'redis://:p@127.0.0.1:1' }

test.each([
  ['exec with nothing bound', ['exec', '--', 'true'], {}],
  ['exec with a bound Redis', ['exec', '--', 'true'], URL],
  ['exec with the managed handler', ['exec', '--', 'true'], { ...URL, PHP_SESSIONS_HANDLER: 'managed' }],
  ['exec of a php-fpm', ['exec', '--', 'php-fpm', '--version'], URL],
  ['cnb-launch', ['cnb-launch'], URL],
])('%s asks PHP once', (_what, args, bound) => {
  const directory = makeScratch('count')
  const [php, log] = [join(directory, 'php'), join(directory, 'log')]
  writeFileSync(php, `#!/bin/sh\necho asked >>${log}\nPATH=$REST exec php "$@"\n`)
  chmodSync(php, 0o755)
  const rest = process.env.PATH ?? ''
  const env = { PATH: `${directory}:${rest}`, REST: rest, TMPDIR: directory, ...bound }
  spawnSync(EXECUTABLE, args, { env, cwd: makeScratch('count') })
  expect(existsSync(log) && readFileSync(log, 'utf8')).toBe('asked\n')
})
