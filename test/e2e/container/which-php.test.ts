import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { debian13Program } from '../../../lab/debian13.ts'
import { cookieIn } from '../../../lab/php/fastcgi.ts'
import { type InstalledPhp, machinePhp } from '../../../lab/php/installed.ts'
import type { Redis } from '../../../lab/redis/options.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { EXECUTABLE } from '../../support/homes/cloudfoundry.ts'
import { type Container, container, startFpmIn } from '../../support/homes/container.ts'
import { debian13Unavailable } from '../../support/php/php.ts'

// Several PHPs in one container, and a php-fpm with other extensions than the PHP on the command line.

let redis: Redis
beforeAll(async () => {
  redis = await startRedis({})
})
afterAll(() => redis.stop())

const REAL = execFileSync('sh', ['-c', 'command -v php'], { encoding: 'utf8' }).trim()
const MISSING =
  /^✗ this PHP has no extension redis, .*\(php\.extension\)\n {4}from (.*), which has no redis\.so/

const bind = (env = {}) => container({ REDIS_URL: `redis://127.0.0.1:${redis.port}`, ...env })

/** Writes a script below the directory of a container. */
function script({ directory }: Container, path: string, line: string): string {
  const file = join(directory, path)
  mkdirSync(join(file, '..'), { recursive: true })
  writeFileSync(file, `#!/bin/sh\n${line}\n`, { mode: 0o755 })
  return file
}

/** Starts a program with this directory in place of the one that its PHP was compiled to scan. */
const scanning = (program: string, directory: string) =>
  `scanned=":$PHP_INI_SCAN_DIR:"\nPHP_INI_SCAN_DIR=$(printf %s "$scanned" | sed 's,::,:${directory}:,; s,^:,,; s,:$,,') exec ${program} "$@"`

const run = ({ env, directory }: Container, command: readonly string[]) =>
  spawnSync(EXECUTABLE, ['exec', '--', ...command], {
    env,
    cwd: directory,
    encoding: 'utf8',
    timeout: 60_000,
  })

test.each([
  ['PHP by its path', ['./bin/php7.0', '-v']],
  ['PHP by its name', ['php7.0', '-v']],
  ['PHP in a line of a shell', ['sh', '-c', 'exec php7.0 -v']],
  ['PHP behind an init program', ['env', '--', 'php7.0', '-v']],
  ['php-fpm beside its PHP', ['./bin/php-fpm7.0', '-F']],
  ['php-fpm in sbin', ['./sbin/php-fpm7.0', '-F']],
  ['php-fpm in a script', ['./start']],
  ['php-cgi', ['php-cgi7.0']],
])('a start asks the PHP that belongs to its command: %s', (_what, command) => {
  const bound = bind()
  const asked = join(bound.directory, 'asked')
  script(bound, 'bin/php7.0', `for last; do :; done; echo "$last" >> ${asked}; exec ${REAL} "$@"`)
  script(bound, 'start', 'php -v\nexec php-fpm7.0 -F')
  for (const path of ['bin/php-fpm7.0', 'sbin/php-fpm7.0', 'bin/php-cgi7.0']) script(bound, path, 'exit 0')
  const env = { ...bound.env, PATH: `${bound.directory}/bin:${bound.env.PATH}` }
  expect(run({ ...bound, env }, command).status).toBe(0)
  expect(readFileSync(asked, 'utf8')).toContain('look-around')
})

test.each([
  ['PHP by its path', ['./bin/php7.0', '-v'], './bin/php7.0'],
  ['PHP by its name', ['php7.0', '-v'], 'the php7.0 in PATH'],
  ['php-fpm in sbin', ['./sbin/php-fpm7.0', '-F'], './bin/php7.0'],
])(
  'a start fails where the PHP of its command lacks the extension, though php has it: %s',
  (_what, command, from) => {
    const bound = bind()
    script(bound, 'bin/php7.0', `exec ${REAL} -d extension_dir=/nowhere "$@"`)
    script(bound, 'sbin/php-fpm7.0', `exec ${REAL} -v`)
    const env = { ...bound.env, PATH: `${bound.directory}/bin:${bound.env.PATH}` }
    const { status, stderr } = run({ ...bound, env }, command)
    expect([status, MISSING.exec(stderr)?.[1]]).toEqual([1, from])
    expect(bound.left()).toEqual([])
  },
)

test.each([
  ['there is none of that name', (bound: Container) => join(bound.directory, 'bin/php7.0')],
  ['it is a directory', (bound: Container) => script(bound, 'bin/php7.0/x', 'exit 0')],
  ['it does not run', (bound: Container) => script(bound, 'bin/php7.0', 'exit 1')],
  ['it is another program', (bound: Container) => script(bound, 'bin/php7.0', 'echo hello')],
])('a start asks php where the PHP of its command cannot be asked: %s', (_what, make) => {
  const bound = bind()
  make(bound)
  const server = script(bound, 'sbin/php-fpm7.0', 'echo started')
  expect(run(bound, [server])).toMatchObject({
    status: 0,
    stdout: 'started\n',
    stderr: expect.stringMatching(/^php-sessions: sessions are kept in Redis /),
  })
})

const count = `session_start(); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1, ' ', ini_get('session.save_handler');`

/** Serves two pages to one visitor, by the php-fpm that this script starts. */
async function serveTwo(bound: Container, server: string) {
  const php: InstalledPhp = {
    ...machinePhp(),
    fpm: (args, env = process.env) => ({ file: server, args, env }),
  }
  const fpm = await startFpmIn(bound, { php, pages: { count } })
  const first = await fpm.ask('count')
  return { first, second: await fpm.ask('count', cookieIn(first) ?? ''), log: fpm.log() }
}

test.each(['native', 'managed'])(
  'php-fpm that loads no extension gets it, though php has it: %s',
  async (handler) => {
    const bound = bind({ PHP_SESSIONS_HANDLER: handler })
    mkdirSync(join(bound.directory, 'none'))
    const fpm = scanning(machinePhp().fpm([]).file, join(bound.directory, 'none'))
    const { first, second, log } = await serveTwo(bound, script(bound, 'own/php-fpm', fpm))
    const keeps = handler === 'native' ? 'redis' : 'user'
    expect([first, second, log]).toEqual([
      expect.stringMatching(`1 ${keeps}$`),
      expect.stringMatching(`2 ${keeps}$`),
      expect.not.stringContaining('already loaded'),
    ])
  },
)

test('php-fpm that loads the extension does not get it twice, though php lacks it', async () => {
  const bound = bind()
  mkdirSync(join(bound.directory, 'none'))
  script(bound, 'bin/php', scanning(REAL, join(bound.directory, 'none')))
  const env = { ...bound.env, PATH: `${bound.directory}/bin:${bound.env.PATH}` }
  const { first, second, log } = await serveTwo({ ...bound, env }, machinePhp().fpm([]).file)
  expect([first, second, log]).toEqual([
    expect.stringMatching(/1 redis$/),
    expect.stringMatching(/2 redis$/),
    expect.not.stringContaining('already loaded'),
  ])
})

if (debian13Unavailable !== undefined)
  process.stderr.write(`no php-fpm of another version: ${debian13Unavailable}\n`)
test.skipIf(debian13Unavailable !== undefined)(
  'a start warns of a php-fpm of another version, which it cannot ask',
  () => {
    const bound = bind()
    const { file, args } = debian13Program('php-fpm')([])
    const server = script(bound, 'own/php-fpm', `exec ${[file, ...args].join(' ')} "$@"`)
    // It does not start, which does not matter here.
    const { stderr } = run(bound, [server, '-y', '/nowhere'])
    const warning = /^.*\(php\.other\)\n.*\n.*$/m.exec(stderr)?.[0] ?? stderr
    expect(warning.replace(/8\.4\.\d+/, '8.4.N').replaceAll(bound.directory, 'DIR')).toMatchInlineSnapshot(`
      "! php-fpm is PHP 8.4.N, but the PHP that answers is another version: nobody knows whether this php-fpm has the extension redis  (php.other)
          from DIR/own/php-fpm
          fix  install PHP 8.4 for the command line, too, named php8.4 and in PATH"
    `)
  },
)
