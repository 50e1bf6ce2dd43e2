import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY } from '../../../lab/bindings.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import type { RedisOptions } from '../../../lab/redis/options.ts'
import { hasReset } from '../../../lab/redis/release.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { makeAuthority } from '../../../lab/servers/certificates.ts'
import { HANDLER_TEXT } from '../../support/handler-text.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'

/** The classes of the handler, which is not installed. */
const CLASSES = HANDLER_TEXT.redis.slice(0, HANDLER_TEXT.redis.search(/^install\(/m)).replace(/^<\?php/, '')

const PRELUDE = `
set_error_handler(function ($level, $message) { throw new ErrorException("seen by the app: $message"); });
/** A connection, used as a step of the handler uses it. */
function connect(array $access = [], string $host = HOST, int $port = PORT): object {
  return new class(new Connection(['host' => $host, 'port' => $port], $access + ['tls' => false, 'ca' => null,
    'clientCertificate' => null, 'user' => null, 'password' => PASSWORD, 'database' => 0], [2, 3])) {
    public function __construct(private Connection $connection) {}
    public function run(\\Closure $step) { return Warnings::quietly(fn () => $this->connection->run($step)); }
  };
}
/** The server's number of the connection; each call is as a request of its own. */
function id(array $access = [], string $host = HOST, int $port = PORT): mixed {
  try {
    return connect($access, $host, $port)->run(fn (Resp $server) => $server->ask(['CLIENT', 'ID']));
  } catch (ServerFailed $failure) {
    return $failure->getMessage();
  }
}
`

async function start(underTest: PhpUnderTest, options: RedisOptions = {}) {
  const redis = await startRedis({ password: CANARY, ...options })
  onTestFinished(redis.stop)
  const constants = `const HOST = '127.0.0.1'; const PORT = ${redis.port}; const PASSWORD = ${quote(CANARY)};`
  const run = (code: string) =>
    JSON.parse(String(underTest.runPhp('', `${CLASSES}${constants}${PRELUDE}echo json_encode([${code}]);`)))
  return { redis, run }
}

const quote = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`

describe.each(PHPS)('%s', (_name, underTest) => {
  test('a connection is kept, and nobody else is given it', async () => {
    const { redis, run } = await start(underTest)
    redis.cli('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '+@all')
    const app = `['user' => 'app', 'password' => 'pw']`
    const [own, again, asApp, otherDatabase, refused, ownAgain] = run(
      `id(), id(), id(${app}), id(['database' => 1]), id(['password' => 'wrong']), id()`,
    )
    expect([again, ownAgain]).toEqual([own, own])
    expect(new Set([own, asApp, otherDatabase]).size).toBe(3)
    expect(refused).toMatch(/^WRONGPASS/)
    const whoami = (access: string) =>
      `connect(${access})->run(fn (Resp $server) => [$server->ask(['ACL', 'WHOAMI']), $server->ask(['CLIENT', 'ID']), $server->ask(['CLIENT', 'LIST'])])`
    const [[name], [, number, clients]] = run(`${whoami(app)}, ${whoami(`['database' => 7]`)}`)
    expect(name).toBe('app')
    expect(clients).toMatch(new RegExp(`^id=${number} .* db=7 `, 'm'))
  })

  test('a connection whose request has died is not used again', async () => {
    const { run } = await start(underTest)
    // What an answer belongs to is known only to whoever has asked.
    const dies = `(function () {
      try { connect()->run(function (Resp $server) {
        $server->transport->begin(3); $server->transport->write("*1\\r\\n$4\\r\\nPING\\r\\n");
        throw new \\LogicException('dies');
      }); } catch (\\LogicException) {}
    })()`
    const [own, , other] = run(`id(), ${dies}, id()`)
    expect(other).toBeGreaterThan(own)
  })

  test('a connection that the server has closed is reopened', async () => {
    const { run } = await start(underTest)
    const kill = `shell_exec('redis-cli -p ' . PORT . ' -a ' . escapeshellarg(PASSWORD) . ' CLIENT KILL TYPE normal 2>&1') && 0`
    const [own, , other] = run(`id(), ${kill}, id()`)
    expect(other).toBeGreaterThan(own)
  })

  test('a connection without its login is reopened', async ({ skip }) => {
    if (!hasReset({})) skip('on this Redis a client cannot log out; from 6.2 on RESET does that')
    const { run } = await start(underTest)
    const logOut = `connect()->run(fn (Resp $server) => $server->ask(['RESET']))`
    const [own, , other] = run(`id(), ${logOut}, id()`)
    expect(other).toBeGreaterThan(own)
  })

  test('a server without a password is used with a binding that has one', async () => {
    const { run } = await start(underTest, { password: undefined })
    expect(run('id(), id()')[0]).toBeTypeOf('number')
  })

  test('a socket file is a server, with a connection for each login', async () => {
    const { redis, run } = await start(underTest, { socket: true })
    const at = quote(redis.socket ?? '')
    const [own, again, other] = run(`id([], ${at}), id([], ${at}), id(['database' => 1], ${at})`)
    expect(again).toBe(own)
    expect(other).toBeGreaterThan(own)
    expect(run(`id([], '/nowhere/redis.sock')`)[0]).toMatch(/No such file/)
  })

  test('TLS has the certificate of the app, checks that of the server and its name, and keeps the connection', async () => {
    const authority = makeAuthority()
    onTestFinished(authority.remove)
    const tls = authority.server(['DNS:localhost'])
    const { certificate, key } = authority.client()
    const client = join(makeScratch('client'), 'client.pem')
    writeFileSync(client, readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'))
    const { redis, run } = await start(underTest, { tls, demandsCertificate: true })
    const access = `['tls' => true, 'ca' => ${quote(tls.ca)}, 'clientCertificate' => ${quote(client)}]`
    const stranger = `['tls' => true, 'ca' => ${quote(tls.ca)}]`
    const unknown = `['tls' => true, 'clientCertificate' => ${quote(client)}]`
    const at = (host: string) => `'${host}', ${redis.tlsPort}`
    const [own, again, wrongName, noCertificate, noCa, large] = run(
      [
        `id(${access}, ${at('localhost')})`,
        `id(${access}, ${at('localhost')})`,
        `id(${access}, ${at('127.0.0.1')})`,
        `id(${stranger}, ${at('localhost')})`,
        `id(${unknown}, ${at('localhost')})`,
        `strlen(connect(${access}, ${at('localhost')})->run(fn (Resp $server) => [$server->ask(['SET', 'k', str_repeat('x', 5000000)]), $server->ask(['GET', 'k'])][1]))`,
      ].join(),
    )
    expect(again).toBe(own)
    expect(wrongName).toMatch(/did not match/)
    expect(noCertificate).toMatch(/SSL|closed/)
    expect(noCa).toMatch(/certificate verify failed/)
    expect(large).toBe(5_000_000)
  })

  test('TLS finds an IPv6 address in the certificate, unless PHP is too old for that', async () => {
    const authority = makeAuthority()
    onTestFinished(authority.remove)
    const tls = authority.server(['IP:::1'])
    const { redis, run } = await start(underTest, { tls, ipv6: true })
    const access = `['tls' => true, 'ca' => ${quote(tls.ca)}]`
    const [id, version] = run(`id(${access}, '::1', ${redis.tlsPort}), PHP_VERSION_ID`)
    // php-src GH-9356
    if (version < 80200) expect(id).toMatch(/did not match/)
    else expect(id).toBeTypeOf('number')
  })
})
