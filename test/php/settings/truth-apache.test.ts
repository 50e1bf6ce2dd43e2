import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, vcapServices } from '../../../lab/bindings.ts'
import { startServer } from '../../../lab/processes/server.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { unpackApache, writeApache } from '../../../lab/web/apache.ts'
import { prepare } from '../../../src/homes/home.ts'
import { renderIniFile } from '../../../src/homes/ini-file.ts'
import { machineHome } from '../../../src/homes/machine/home.ts'
import { nodeHost } from '../../../src/host/node.ts'

const apache = await unpackApache()
const SET = 'php_value session.save_handler files\nphp_value session.save_path "DIR/sessions"\n'
const OURS = 'the bound service'

interface World {
  /** Files in the web root. */
  readonly www?: Readonly<Record<string, string>>
  readonly server?: string
  readonly expected: string
}

const WORLDS: Readonly<Record<string, World>> = {
  nothing: { expected: OURS },
  '.htaccess': { www: { '.htaccess': SET }, expected: 'local files, because www/.htaccess:1' },
  '.htaccess, with a condition that holds': {
    www: { '.htaccess': `<IfModule mod_php.c>\n  ${SET}</IfModule>\n` },
    expected: 'local files, because www/.htaccess:2',
  },
  '.htaccess, for PHP 5 and 7 only': {
    www: {
      '.htaccess': `<IfModule mod_php5.c>\n${SET}</IfModule>\n<IfModule mod_php7.c>\n${SET}</IfModule>\n`,
    },
    expected: OURS,
  },
  '.user.ini, which Apache does not read': {
    www: { '.user.ini': 'session.save_handler = files\nsession.save_path = "DIR/sessions"\n' },
    expected: OURS,
  },
  'the configuration of the server': {
    server: `<Directory "DIR/www">\n${SET.replaceAll('php_value', 'php_admin_value')}</Directory>\n`,
    expected: 'local files, because httpd/conf/apache2.conf:24',
  },
  'the configuration of the server, for when PHP is no module': {
    server: `<IfModule !mod_php.c>\n${SET}</IfModule>\n`,
    expected: OURS,
  },
  'the configuration of the server, for a module that is not loaded': {
    server: `<IfModule mpm_event_module>\n${SET}</IfModule>\n`,
    expected: OURS,
  },
}

const PAGE = `session_start(); echo ini_get('session.save_handler'), ' ', strtok(ini_get('session.save_path'), '?');`

describe('the messages match what PHP in Apache does', () => {
  test.for(Object.entries(WORLDS))('%s', async ([_what, { www = {}, server = '', expected }], { skip }) => {
    if ('unavailable' in apache) return skip(apache.unavailable)
    const redis = await startRedis({ password: CANARY })
    onTestFinished(redis.stop)
    let said = ''
    const web = await startServer({
      name: 'apache',
      ports: 1,
      command: ({ directory, ports: [port = 0] }) => {
        chmodSync(directory, 0o755)
        const lines = server.replaceAll('DIR', directory)
        const env = writeApache(apache, { port, directory, user: 'www-data', lines, pages: { index: PAGE } })
        for (const [name, text] of Object.entries(www))
          writeFileSync(join(directory, 'www', name), text.replaceAll('DIR', directory))
        for (const name of ['sessions', 'conf.d', 'httpd']) mkdirSync(join(directory, name))
        chmodSync(join(directory, 'sessions'), 0o777)
        symlinkSync('../apache', join(directory, 'httpd/conf'))

        const services = {
          name: 'redis-sessions',
          credentials: { host: '127.0.0.1', port: redis.port, password: CANARY },
        }
        const host = { ...nodeHost, env: { ...process.env, VCAP_SERVICES: vcapServices(services) } }
        const output = join(directory, 'conf.d/00-php-sessions.ini')
        const home = machineHome(host, { app: directory, filesDirectory: directory, output })
        const { plan, kept } = prepare({ ...home, php: { ...home.php, fpm: [] } })
        writeFileSync(output, renderIniFile(plan))
        const decided = kept.find(({ place }) => place !== undefined)
        said =
          decided === undefined
            ? OURS
            : `${decided.place}, because ${decided.because?.from}`.replaceAll(`${directory}/`, '')
        return {
          file: join(directory, 'bin/apache2'),
          args: ['-f', join(directory, 'apache/apache2.conf'), '-DFOREGROUND'],
          env: { ...env, PHP_INI_SCAN_DIR: `${env.PHP_INI_SCAN_DIR}:${join(directory, 'conf.d')}` },
        }
      },
    })
    onTestFinished(web.stop)
    expect(said).toBe(expected)
    const done = await (await fetch(`http://127.0.0.1:${web.ports[0]}/index.php`)).text()
    expect(done).toBe(
      expected === OURS ? `redis tcp://127.0.0.1:${redis.port}` : `files ${web.directory}/sessions`,
    )
  })
})
