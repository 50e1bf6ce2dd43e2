import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { machinePhp } from '../../../lab/php/installed.ts'
import { findListener } from '../../../lab/processes/listening.ts'
import { freePorts } from '../../../lab/processes/ports.ts'
import { until } from '../../../lab/processes/until.ts'
import type { Redis } from '../../../lab/redis/options.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { unpackApache, writeApache } from '../../../lab/web/apache.ts'
import { EXECUTABLE } from '../../support/homes/cloudfoundry.ts'
import { container, startExec } from '../../support/homes/container.ts'

// Debian's module of Apache has ini files of its own, in which other extensions and settings may be on than in those of
// the command line. Each test has its own /etc/php.

const apache = await unpackApache()
const { version } = machinePhp()
const BIND = 'mount --bind "$0" /etc/php && exec "$@"'
const canMount = spawnSync('unshare', ['-m', 'true']).status === 0
const unavailable =
  'unavailable' in apache ? apache.unavailable : canMount ? undefined : 'mounting needs root here'

const PAGE = `session_start(); $_SESSION['n'] = 1 + ($_SESSION['n'] ?? 0); session_write_close();
echo ini_get('session.save_handler'), ' ', ini_get('auto_prepend_file') === '' ? 'native' : 'managed';`

let redis: Redis
beforeAll(async () => {
  redis = await startRedis({})
})
afterAll(() => redis.stop())

interface World {
  /** An extension that one of them does not load. */
  readonly without?: { readonly sapi: 'cli' | 'apache2'; readonly extension: string }
  /** An ini file that only Apache reads. */
  readonly ini?: string
  readonly page: string
  /** What `exec` says, and what `ini` does; nothing where absent. */
  readonly says?: RegExp
  /** Where `ini` cannot load the extension. */
  readonly broken?: true
}

const WORLDS: Readonly<Record<string, World>> = {
  'with the same extensions': { page: 'user managed' },
  'without redis, which the command line has': {
    without: { sapi: 'apache2', extension: 'redis' },
    page: 'user managed',
    broken: true,
  },
  'with redis, which the command line has not': {
    without: { sapi: 'cli', extension: 'redis' },
    page: 'user managed',
  },
  'with a function disabled that the managed handler needs': {
    ini: 'disable_functions = session_set_save_handler\n',
    page: 'redis native',
    says: /\(handler\.blocked\)\n {4}from \/etc\/php\/[0-9.]+\/apache2\/conf\.d\/90-app\.ini:1\n/,
  },
}

/** A container with Debian's Apache, whose ini files are as a world says. */
async function prepareWorld(what: string) {
  const { without, ini = '' } = WORLDS[what] ?? { page: '' }
  if ('unavailable' in apache) throw new Error(apache.unavailable)
  const unset = container({ PHP_SESSIONS_HANDLER: 'managed' })
  const [port = 0] = await freePorts(1)
  const { PHP_INI_SCAN_DIR: _, ...env } = writeApache(apache, {
    port,
    directory: unset.directory,
    pages: { index: PAGE },
  })
  mkdirSync(join(unset.directory, 'apache/mods-enabled'))
  writeFileSync(join(unset.directory, `apache/mods-enabled/php${version}.load`), '')
  const etc = join(unset.directory, 'etc-php')
  cpSync('/etc/php', etc, { recursive: true, verbatimSymlinks: true })
  const confD = (sapi: string) => join(etc, version, sapi, 'conf.d')
  rmSync(join(etc, version, 'apache2'), { recursive: true, force: true })
  cpSync(join(etc, version, 'cli'), join(etc, version, 'apache2'), {
    recursive: true,
    verbatimSymlinks: true,
  })
  writeFileSync(join(confD('apache2'), '90-app.ini'), ini)
  if (without !== undefined)
    for (const name of readdirSync(confD(without.sapi)))
      if (name.endsWith(`-${without.extension}.ini`)) rmSync(join(confD(without.sapi), name))

  const unbound = { ...unset, env: { ...unset.env, ...env } }
  const bound = { ...unbound, env: { ...unbound.env, REDIS_URL: `redis://127.0.0.1:${redis.port}` } }
  const alone = ['unshare', '-m', '--pid', '--fork', '--mount-proc', 'sh', '-c', BIND, etc, EXECUTABLE]
  const program = ['unshare', '-m', 'sh', '-c', BIND, etc, EXECUTABLE]
  const run = (...args: readonly string[]) => {
    const [file = '', ...before] = alone
    const options = { env: bound.env, cwd: bound.directory, encoding: 'utf8', timeout: 60_000 } as const
    return spawnSync(file, [...before, ...args], options)
  }
  const ask = async () => (await fetch(`http://127.0.0.1:${port}/index.php`)).text()
  const errors = () => readFileSync(join(bound.directory, 'run/error.log'), 'utf8')
  return { bound, unbound, port, program, run, ask, errors }
}

const COMMAND = ['sh', '-c', 'echo ready; exec apache2ctl -DFOREGROUND']
/** What PHP in Apache says if the start expected other extensions than it has. */
const MISTAKEN = /already loaded|Cannot find|Unable to load/

describe.skipIf(unavailable !== undefined)("PHP in Debian's Apache", () => {
  test.each(Object.entries(WORLDS))('under exec, %s', async (what, { page, says }) => {
    const { bound, port, program, ask, errors } = await prepareWorld(what)
    const started = await startExec(bound, COMMAND, program)
    await until('Apache to listen', () => findListener(port, started.processes) === 'own')
    expect([await ask(), await ask()]).toEqual([page, page])
    expect(errors()).not.toMatch(MISTAKEN)
    expect(started.stderr()).toMatch(says ?? /^php-sessions: sessions are kept in Redis service .*\n$/)
    expect(started.stderr()).not.toContain('php-fpm')
  })

  test.each(Object.entries(WORLDS))('with a file of ini, %s', async (what, { page, says, broken }) => {
    const { unbound, port, program, run, ask, errors } = await prepareWorld(what)
    const output = `/etc/php/${version}/apache2/conf.d/00-php-sessions.ini`
    const unloaded = broken === true ? /^! no page can start a session .*\(php\.extension-off\)/ : undefined
    expect(run('ini', '--output', output)).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(says ?? unloaded ?? /^$/),
    })
    const { status, stdout } = run('explain')
    expect(stdout).toContain(`reads /etc/php/${version}/apache2/php.ini`)
    expect(stdout).toContain(`the file of php-sessions: ${output}`)
    const [last = ''] = stdout.trimEnd().split('\n').slice(-1)
    const started = await startExec(unbound, COMMAND, program)
    await until('Apache to listen', () => findListener(port, started.processes) === 'own')
    if (broken === true) {
      expect([status, last]).toEqual([
        0,
        expect.stringMatching(/^No page can start a session with these settings/),
      ])
      await ask()
      expect(errors()).toContain('Cannot find session save handler')
    } else {
      expect([status, last]).toEqual([0, expect.stringMatching(/^Sessions are kept in Redis service/)])
      expect([await ask(), await ask()]).toEqual([page, page])
      expect(errors()).not.toMatch(MISTAKEN)
    }
  })
})

test('the reason why Apache is not tried', ({ skip }) => {
  if (unavailable !== undefined) skip(unavailable)
})
