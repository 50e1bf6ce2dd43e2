import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, vcapServices } from '../../../lab/bindings.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { renderIni } from '../../../src/core/formats/ini.ts'
import { prepare } from '../../../src/homes/home.ts'
import { machineHome } from '../../../src/homes/machine/home.ts'
import { writeFiles } from '../../../src/homes/write-files.ts'
import { nodeHost } from '../../../src/host/node.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { startPhpWeb } from '../../support/php/web.ts'

const UPLOADS = 'session.upload_progress.enabled'
const COUNT = `session_start(); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1, ini_get('session.save_handler');`

/** An app, a php.ini and a pool, and what a start with the managed handler makes of them. */
function startWith(
  { php, loadExtensions }: PhpUnderTest,
  { ini = '', pool = '', app = {}, port = 1 }: World,
) {
  const directory = makeScratch('obstacles')
  const place = (path: string, text: string) => {
    const file = join(directory, path)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, text)
    return file
  }
  place('php.ini', loadExtensions('igbinary', 'msgpack', 'redis') + ini)
  const main = place('fpm.conf', `[global]\ninclude = ${directory}/pool.d/*.conf\n`)
  place('pool.d/www.conf', `[www]\nlisten = 127.0.0.1:1\n; chroot = /no\n${pool}\n`)
  for (const [path, text] of Object.entries(app)) place(`app/${path}`, text)
  const service = { name: 'redis-sessions', credentials: { host: '127.0.0.1', port, password: CANARY } }
  const env = { VCAP_SERVICES: vcapServices(service), PHP_SESSIONS_HANDLER: 'managed' }
  const host = { ...nodeHost, env: { ...process.env, ...env } }
  const { file, args } = php.cli(['-c', directory])
  const home = machineHome(host, { app: join(directory, 'app'), filesDirectory: makeScratch('files') })
  const { plan, findings, hanging } = prepare({
    ...home,
    php: {
      ...home.php,
      start: { command: [file, ...args], env: {} },
      fpm: [php.fpm([]).file, '-c', directory, '-y', main],
    },
  })
  writeFiles(host, plan.files)
  const said = [...findings, ...hanging].map(
    ({ id, from }) => `${id} from ${from.replace(`${directory}/`, '')}`,
  )
  const text = loadExtensions(...plan.extensions) + renderIni(plan.directives) + ini
  return { said, handler: plan.planned?.handler, text, findings }
}

interface World {
  readonly ini?: string
  readonly pool?: string
  readonly app?: Readonly<Record<string, string>>
  readonly port?: number
}

/** What an ini, a pool or an app says, and the line that is named. */
const KNOWN: Readonly<Record<string, readonly [World, string]>> = {
  'disable_functions in php.ini': [
    { ini: '\ndisable_functions = "exec,session_set_save_handler"\n' },
    'handler.blocked from php.ini',
  ],
  'disable_functions in a pool': [
    { pool: 'php_admin_value[disable_functions] = "ini_get"' },
    'handler.blocked from pool.d/www.conf:4',
  ],
  'disable_classes in php.ini': [
    { ini: '\ndisable_classes = "SplFileObject,SessionIdInterface"\n' },
    'handler.blocked from php.ini',
  ],
  'open_basedir in php.ini': [{ ini: 'open_basedir = /app\n' }, 'handler.blocked from php.ini'],
  'open_basedir in a pool': [
    { pool: 'php_admin_value[open_basedir] = /app:/tmp/x ; mine' },
    'handler.blocked from pool.d/www.conf:4',
  ],
  'session.auto_start in php.ini': [{ ini: 'session.auto_start = 1\n' }, 'handler.blocked from php.ini'],
  'session.auto_start in a pool': [
    { pool: 'php_admin_flag[session.auto_start] = on' },
    'handler.blocked from pool.d/www.conf:4',
  ],
  'a chroot': [{ pool: '\nchroot = /srv' }, 'handler.blocked from pool.d/www.conf:5'],
  'a save handler that a pool fixes': [
    { pool: 'php_admin_value[session.save_handler] = redis' },
    'handler.blocked from pool.d/www.conf:4',
  ],
  'a class of the app that extends SessionHandler': [
    { app: { 'src/A.php': '<?php\nfinal class A extends \\SessionHandler implements X\n{\n}\n' } },
    'handler.bypassed from app/src/A.php',
  ],
  'a file of the app that wraps SessionHandler': [
    { app: { 'src/W.php': '<?php\n$handler = new Wrapper(new \\SessionHandler());\n' } },
    'handler.bypassed from app/src/W.php',
  ],
  'a prepended file deep in the app': [
    { app: { 'a/b/c/.user.ini': 'auto_prepend_file = x.php\n', 'a/node_modules/.user.ini': '' } },
    'handler.bypassed from app/a/b/c/.user.ini',
  ],
}

describe.each(PHPS)('%s', (_name, underTest) => {
  test('nothing is said where nothing is the case', () => {
    const { said, handler } = startWith(underTest, {
      pool: 'php_value[memory_limit] = 1G\nrequest_terminate_timeout = 60s',
      app: {
        'src/B.php': '<?php // class B extends SessionHandler\nclass B extends SessionHandlerBase {}',
        'src/D.php':
          '<?php // new \\SessionHandler\nnamespace App; new SessionHandler(); new \\SessionHandlerBase();',
        'vendor/x/y/C.php': '<?php class C extends \\SessionHandler {}',
        'a/.user.ini': 'memory_limit = 1G\n',
        'a/node_modules/x/.user.ini': 'auto_prepend_file = x.php\n',
      },
    })
    expect({ said, handler }).toEqual({ said: [], handler: 'managed' })
  })

  test.each(Object.entries(KNOWN))('%s', (_what, [world, expected]) => {
    const { said, handler } = startWith(underTest, { pool: 'request_terminate_timeout = 60s\n', ...world })
    expect(handler).toBe('native')
    expect(said[0]?.startsWith(expected) === true || said[0]).toBe(true)
  })

  test('a pool without request_terminate_timeout', () => {
    const known = startWith(underTest, { ini: 'open_basedir = /app\n' })
    expect(known.said).toContain('php.hanging from pool.d/www.conf:2')
  })

  test('where settings of sessions are locked while uploads are watched, native is chosen and works', async () => {
    const redis = await startRedis({ password: CANARY })
    onTestFinished(redis.stop)
    const isLocked = underTest
      .runPhp(`${UPLOADS} = 1\n`, `try { ini_set('session.name', 'x'); echo 0; } catch (Error) { echo 1; }`)
      .toString()
    const turnOn = { ini: `${UPLOADS} = On\n`, pool: 'request_terminate_timeout = 60s', port: redis.port }
    const { said, handler, text } = startWith(underTest, turnOn)
    expect({ handler, said: said.length }).toEqual(
      isLocked === '1' ? { handler: 'native', said: 1 } : { handler: 'managed', said: 0 },
    )
    const web = await startPhpWeb(underTest, text, `<?php ${COUNT}`, 1)
    onTestFinished(web.stop)
    const response = await fetch(web.url)
    expect([response.status, await response.text()]).toEqual([200, isLocked === '1' ? '1redis' : '1user'])

    // A pool turns on what is off for the command line.
    const inPool = startWith(underTest, {
      pool: `php_admin_flag[${UPLOADS}] = on\nrequest_terminate_timeout = 60s`,
      ini: `${UPLOADS} = Off\n`,
    })
    expect(inPool.said).toEqual(isLocked === '1' ? ['handler.blocked from pool.d/www.conf:4'] : [])
  })
})
