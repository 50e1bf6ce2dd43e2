import { describe, expect, onTestFinished, test } from 'vitest'
import { startFpm } from '../../lab/php/fpm.ts'
import { startMemcached } from '../../lab/servers/memcached.ts'
import { debian13Unavailable, PHPS, underTest } from '../support/php/php.ts'

const VERSIONS = 'echo PHP_SAPI, " ", PHP_VERSION, " ", phpversion("redis"), " ", ini_get("precision");'
const LOG_IN = `
$m = new Memcached();
$m->setOptions([Memcached::OPT_BINARY_PROTOCOL => true, Memcached::OPT_CONNECT_TIMEOUT => 1000]);
$m->setSaslAuthData('app', $argv[2]);
$m->addServer('127.0.0.1', (int) $argv[1]);
echo $m->set('k', 'v') ? 'stored' : $m->getResultMessage();`

test('the PHP of Debian 13 is tested, too', ({ skip }) => {
  const hasIt = PHPS.some(([, { php }]) => php.version === '8.4')
  if (!hasIt && debian13Unavailable !== undefined) skip(debian13Unavailable)
  expect(hasIt).toBe(true)
})

describe.each(PHPS)('%s', (_, { php, loadExtensions, runPhp }) => {
  test('PHP reports its versions, and reads only the ini file that it is given', () => {
    const code = 'echo PHP_VERSION, " ", php_ini_scanned_files() ?: "none", " ", ini_get("precision");'
    expect(runPhp('precision = 9\n', code).toString()).toMatch(/^\d+\.\d+\.\d+\S* none 9$/)
    expect(php.name).toMatch(/^PHP \d+\.\d+, phpredis \d+\.\d+\.\d+, php-memcached \d+\.\d+\.\d+$/)
  })

  test('a PHP that does not end is ended, whichever way it is waited for', async () => {
    const { runPhp: run, startPhp: start } = underTest(php, 1, { timeout: 300, killSignal: 'SIGKILL' })
    expect(() => run('', 'sleep(60);')).toThrow(/ETIMEDOUT/)
    await expect(start('', 'sleep(60);', {})).rejects.toMatchObject({ killed: true, signal: 'SIGKILL' })
  })

  test('PHP trusts the certificates that the machine trusts', () => {
    const code = 'echo count(glob(openssl_get_cert_locations()["default_cert_dir"] . "/*.pem"));'
    expect(Number(runPhp('', code).toString())).toBeGreaterThan(0)
  })

  test('PHP finds the plug-ins for a login to Memcached', async () => {
    const memcached = await startMemcached({ sasl: { username: 'app', password: 'right' } })
    onTestFinished(memcached.stop)
    const extensions = loadExtensions('igbinary', 'msgpack', 'memcached')
    const logIn = (password: string) =>
      runPhp(extensions, LOG_IN, String(memcached.port), password).toString()
    expect(logIn('right')).toBe('stored')
    expect(logIn('wrong')).not.toBe('stored')
  })

  test('the workers of php-fpm run the same PHP', async () => {
    const extensions = loadExtensions('igbinary', 'msgpack', 'redis')
    const fpm = await startFpm({
      php,
      ini: () => `${extensions}precision = 9\n`,
      pools: [{ workers: 2 }],
      env: {},
      pages: { index: VERSIONS },
    })
    onTestFinished(fpm.stop)
    const [, version, redis] = runPhp(extensions, VERSIONS).toString().split(' ')
    expect(await fpm.ask('index')).toContain(`\r\n\r\nfpm-fcgi ${version} ${redis} 9`)
  })
})
