import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startServer } from '../../lab/processes/server.ts'
import { startMemcached } from '../../lab/servers/memcached.ts'
import { debian13Unavailable, PHPS } from '../support/php/php.ts'

const WHAT_WORKERS_SAY =
  'echo PHP_SAPI, " ", PHP_VERSION, " ", phpversion("redis"), " ", ini_get("precision");'
const LOG_IN = `
$m = new Memcached();
$m->setOptions([Memcached::OPT_BINARY_PROTOCOL => true, Memcached::OPT_CONNECT_TIMEOUT => 1000]);
$m->setSaslAuthData('app', $argv[2]);
$m->addServer('127.0.0.1', (int) $argv[1]);
echo $m->set('k', 'v') ? 'stored' : $m->getResultMessage();`

test('the PHP of Debian 13 is tested too', ({ skip }) => {
  const hasIt = PHPS.some(([, { php }]) => php.version === '8.4')
  if (!hasIt && debian13Unavailable !== undefined) skip(debian13Unavailable)
  expect(hasIt).toBe(true)
})

describe.each(PHPS)('%s', (_, { php, loadExtensions, runPhp }) => {
  test('tells its versions, and reads no ini file but ours', () => {
    const code = 'echo PHP_VERSION, " ", php_ini_scanned_files() ?: "none", " ", ini_get("precision");'
    expect(runPhp('precision = 9\n', code).toString()).toMatch(/^\d+\.\d+\.\d+\S* none 9$/)
    expect(php.name).toMatch(/^PHP \d+\.\d+, phpredis \d+\.\d+\.\d+, php-memcached \d+\.\d+\.\d+$/)
  })

  test('has the certificates that the machine trusts', () => {
    const code = 'echo count(glob(openssl_get_cert_locations()["default_cert_dir"] . "/*.pem"));'
    expect(Number(runPhp('', code).toString())).toBeGreaterThan(0)
  })

  test('finds the plug-ins for a login to Memcached', async () => {
    const memcached = await startMemcached({ sasl: { username: 'app', password: 'right' } })
    onTestFinished(memcached.stop)
    const extensions = loadExtensions('igbinary', 'msgpack', 'memcached')
    const logIn = (password: string) =>
      runPhp(extensions, LOG_IN, String(memcached.port), password).toString()
    expect(logIn('right')).toBe('stored')
    expect(logIn('wrong')).not.toBe('stored')
  })

  test('php-fpm answers with workers of the same PHP', async () => {
    const fpm = await startServer({
      name: 'fpm',
      ports: 1,
      command: ({ directory, ports: [port] }) => {
        const file = (name: string) => join(directory, name)
        writeFileSync(file('php.ini'), `${loadExtensions('igbinary', 'msgpack', 'redis')}precision = 9\n`)
        writeFileSync(
          file('fpm.conf'),
          `[global]\nerror_log = /proc/self/fd/2\n[www]\nlisten = 127.0.0.1:${port}\npm = static\npm.max_children = 2\n`,
        )
        writeFileSync(file('index.php'), `<?php ${WHAT_WORKERS_SAY}`)
        // php-fpm runs as root only when told so.
        const asRoot = process.getuid?.() === 0 ? ['-R'] : []
        return php.fpm(['-F', ...asRoot, '-c', directory, '-y', file('fpm.conf')], {
          PHP_INI_SCAN_DIR: file('none'),
        })
      },
    })
    onTestFinished(fpm.stop)
    const versions = runPhp(loadExtensions('igbinary', 'msgpack', 'redis'), WHAT_WORKERS_SAY).toString()
    const [, version, redis] = versions.split(' ')
    const answer = await askFpm(fpm.ports[0] as number, join(fpm.directory, 'index.php'))
    expect(answer).toContain(`\r\n\r\nfpm-fcgi ${version} ${redis} 9`)
  })
})

/** One FastCGI request, as a web server would make it; all that comes back, frames included. */
function askFpm(port: number, script: string): Promise<string> {
  const frame = (type: number, content: Buffer) => {
    const header = Buffer.from([1, type, 0, 1, 0, 0, 0, 0])
    header.writeUInt16BE(content.length, 4)
    return Buffer.concat([header, content])
  }
  const none = Buffer.alloc(0)
  const parameters = Object.entries({ SCRIPT_FILENAME: script, REQUEST_METHOD: 'GET' }).map(([name, value]) =>
    Buffer.concat([Buffer.from([name.length, value.length]), Buffer.from(name + value)]),
  )
  const asResponder = Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])
  const socket = connect(port, '127.0.0.1')
  socket.write(
    Buffer.concat([
      frame(1, asResponder),
      frame(4, Buffer.concat(parameters)),
      frame(4, none),
      frame(5, none),
    ]),
  )
  return text(socket)
}
