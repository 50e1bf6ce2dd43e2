import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { CANARY, SESSION_KEY, type Service } from '../../../lab/bindings.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { startServer } from '../../../lab/processes/server.ts'
import { startRedisCluster } from '../../../lab/redis/cluster.ts'
import type { Redis, RedisOptions } from '../../../lab/redis/options.ts'
import { everyRight } from '../../../lab/redis/release.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import {
  type CertificateAuthority,
  type Certificates,
  makeAuthority,
} from '../../../lab/servers/certificates.ts'
import { type Memcached, startMemcached } from '../../../lab/servers/memcached.ts'
import { tlsForOwn } from '../php/configured.ts'
import { asNobody, install, type Machine, makeMachine, withEnv, withServices } from './machine.ts'

/** A machine that is broken in one way. */
export interface Broken {
  readonly machine: Machine
  /** Follows the advice `fix` of doctor and returns the machine, which should then be fine. */
  repair(fix: string): Promise<Machine>
}

export interface Fault {
  /** The id of the finding that must come first. */
  readonly names: string
  make(): Promise<Broken>
}

type Credentials = Record<string, string | number | boolean>

const WRONG = `${CANARY}, but wrong`
const MANAGED = { PHP_SESSIONS_HANDLER: 'managed' }
const OPCACHE = 'zend_extension = opcache\n'
const SASL = { username: 'app', password: CANARY }

/** Every fault that the tests create with real servers, by what people would call it. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'a wrong password': onRedis(
    'auth.rejected',
    { password: CANARY },
    { password: WRONG },
    { password: CANARY },
  ),
  'no password': onRedis('auth.missing', { password: CANARY }, {}, { password: CANARY }),
  'a password that the server does not have': onRedis('auth.unneeded', {}, { password: CANARY }, {}),
  'a user that the server does not have': onRedis(
    'auth.rejected',
    { user: { name: 'app', password: CANARY } },
    { username: 'ap', password: CANARY },
    { username: 'app', password: CANARY },
  ),
  'a default user that is off': onRedis(
    'auth.rejected',
    { user: { name: 'app', password: CANARY } },
    { password: CANARY },
    { username: 'app', password: CANARY },
  ),
  'EVAL and EVALSHA switched off': onLines('redis.no-scripts', [
    'rename-command EVAL ""',
    'rename-command EVALSHA ""',
  ]),
  'EVAL and EVALSHA switched off, with the managed handler': onLines(
    'redis.no-scripts',
    ['rename-command EVAL ""', 'rename-command EVALSHA ""'],
    MANAGED,
  ),
  'a Redis with as many clients as it allows': {
    names: 'redis.clients',
    make: async () => {
      const server = await redis({ password: CANARY, lines: ['maxclients 1'] })
      const machine = await makeMachine({ services: [redisAt(server, { password: CANARY })] })
      const held = await hold(server.port)
      const repair = async () => {
        held()
        return rebind(machine, redisAt(await redis({ password: CANARY }), { password: CANARY }))
      }
      return { machine, repair }
    },
  },
  'a Redis over TLS with as many clients as it allows': {
    names: 'tls.closed',
    make: async () => {
      const tls = authority().server()
      const server = await redis({ password: CANARY, tls, lines: ['maxclients 1'] })
      const credentials = { password: CANARY, ...tlsCredentials(server, tls.ca) }
      const machine = await makeMachine({ services: [redisAt(server, credentials)] })
      const held = await hold(server.port)
      const repair = async () => {
        held()
        const larger = await redis({ password: CANARY, tls })
        return rebind(machine, redisAt(larger, { password: CANARY, ...tlsCredentials(larger, tls.ca) }))
      }
      return { machine, repair }
    },
  },
  'a Unix socket that is a file': {
    names: 'net.connect',
    make: async () => {
      const server = await redis({ password: CANARY, socket: true })
      const file = join(makeScratch('file'), 'redis.sock')
      writeFileSync(file, '')
      const at = (socket: string): Service => ({
        name: 'app-redis-sessions',
        credentials: { socket, password: CANARY },
      })
      const machine = await makeMachine({ services: [at(file)] })
      return { machine, repair: () => rebind(machine, at(server.socket ?? '')) }
    },
  },
  'a Memcached in place of Redis': onOtherStore(false),
  'a Memcached with a login in place of Redis': onOtherStore(true),
  'a Redis in place of Memcached': {
    names: 'net.other-store',
    make: async () => {
      const [server, right] = [await redis({ password: CANARY }), await memcached()]
      const machine = await makeMachine({ services: [memcachedAt(server)] })
      return { machine, repair: () => rebind(machine, memcachedAt(right)) }
    },
  },
  'a Memcached for text only': onMemcached('memcached.text-only', ['-B', 'ascii']),
  'a Memcached with as many clients as it allows': {
    names: 'memcached.clients',
    make: async () => {
      const server = await memcachedFor('-c', '60')
      const machine = await makeMachine({ services: [memcachedAt(server)] })
      const held = await hold(server.port, 90)
      const repair = async () => {
        held()
        return rebind(machine, memcachedAt(await memcached()))
      }
      return { machine, repair }
    },
  },
  'no permission for EVALSHA and EVAL': onAcl(['-evalsha', '-eval']),
  'no permission for SET': onAcl(['-set']),
  'no permission for the keys': onAcl(['resetkeys', '~other:*']),
  'no permission for BLPOP': onAcl(['-blpop'], MANAGED),
  'a private CA that the binding does not have': onTls('tls.ca', (ca) => ({
    broken: ca.server(),
    fixed: ca.server(),
    brokenCa: undefined,
  })),
  'the certificate of another CA': onTls('tls.ca', (ca) => ({
    broken: ca.server(),
    fixed: ca.server(),
    brokenCa: otherAuthority().server().ca,
  })),
  'an expired certificate': onTls('tls.expired', (ca) => ({ broken: ca.expired(), fixed: ca.server() })),
  'a CA that has expired': onTls('tls.ca-expired', (ca) => ({
    broken: ca.withExpiredCa(),
    fixed: ca.server(),
  })),
  'a server that does not send its intermediate CA': onTls('tls.ca', (ca) => ({
    broken: ca.viaIntermediate(false),
    fixed: ca.viaIntermediate(true),
  })),
  'a certificate for another name': onTls('tls.name', (ca) => ({
    broken: ca.server(['DNS:redis.internal', 'IP:10.0.4.30']),
    fixed: ca.server(),
  })),
  'a server that asks for a client certificate': {
    names: 'tls.client-certificate',
    make: async () => {
      const certificates = authority().server()
      const server = await redis({ password: CANARY, tls: certificates, demandsCertificate: true })
      const credentials = { password: CANARY, ...tlsCredentials(server, certificates.ca) }
      const machine = await makeMachine({ services: [redisAt(server, credentials)] })
      const repair = async () => {
        server.cli('CONFIG', 'SET', 'tls-auth-clients', 'no')
        return machine
      }
      return { machine, repair }
    },
  },
  'TLS on a port without TLS': {
    names: 'tls.plain-port',
    make: async () => {
      const server = await redis({ password: CANARY })
      const machine = await makeMachine({
        services: [redisAt(server, { host: 'localhost', tls: true, password: CANARY })],
      })
      return { machine, repair: () => rebind(machine, redisAt(server, { password: CANARY })) }
    },
  },
  'no TLS on a port with TLS': {
    names: 'tls.missing',
    make: async () => {
      const certificates = authority().server()
      const server = await redis({ password: CANARY, tls: certificates })
      const port = server.tlsPort ?? 0
      const machine = await makeMachine({ services: [redisAt(server, { port, password: CANARY })] })
      const right = { password: CANARY, ...tlsCredentials(server, certificates.ca) }
      return { machine, repair: () => rebind(machine, redisAt(server, right)) }
    },
  },
  'a frozen Redis': {
    names: 'net.silent',
    make: async () =>
      freeze(await redis({ password: CANARY }), (server) => redisAt(server, { password: CANARY })),
  },
  'a frozen Redis with TLS': {
    names: 'net.silent',
    make: async () => {
      const certificates = authority().server()
      const server = await redis({ password: CANARY, tls: certificates })
      return freeze(server, () =>
        redisAt(server, { password: CANARY, ...tlsCredentials(server, certificates.ca) }),
      )
    },
  },
  'a frozen Memcached': {
    names: 'net.silent',
    make: async () => freeze(await memcached(), (server) => memcachedAt(server)),
  },
  'a port where nobody listens': {
    names: 'net.connect',
    make: async () => {
      const server = await startRedis({ password: CANARY })
      const machine = await makeMachine({ services: [redisAt(server, { password: CANARY })] })
      await server.stop()
      const repair = async () => {
        await redis({ password: CANARY, at: server })
        return machine
      }
      return { machine, repair }
    },
  },
  'a name that cannot be resolved': onRedis(
    'net.resolve',
    { password: CANARY },
    { host: 'redis.invalid', password: CANARY },
    { password: CANARY },
  ),
  'a web server in place of Redis': {
    names: 'net.foreign',
    make: async () => {
      const web = createServer().listen(0, '127.0.0.1')
      onTestFinished(() => void web.close())
      await new Promise((resolve) => web.once('listening', resolve))
      const { port } = web.address() as { port: number }
      const server = await redis()
      const machine = await makeMachine({ services: [redisAt(server, { port })] })
      return { machine, repair: () => rebind(machine, redisAt(server)) }
    },
  },
  'a replica': {
    names: 'redis.replica',
    make: async () => {
      const master = await redis({ password: CANARY })
      const replica = await redis({ password: CANARY, replicaOf: master })
      const machine = await makeMachine({ services: [redisAt(replica, { password: CANARY })] })
      return { machine, repair: () => rebind(machine, redisAt(master, { password: CANARY })) }
    },
  },
  'a Redis that is full': onConfig(
    'redis.full',
    { maxmemory: '1', 'maxmemory-policy': 'noeviction' },
    { maxmemory: '0' },
  ),
  'a Redis that evicts': onConfig(
    'redis.eviction',
    { maxmemory: '100mb', 'maxmemory-policy': 'allkeys-lru' },
    { 'maxmemory-policy': 'noeviction' },
  ),
  'a database that does not exist': onRedis(
    'redis.database-missing',
    { password: CANARY },
    { database: 99, password: CANARY },
    { database: 9, password: CANARY },
  ),
  'a cluster used as a single server': {
    names: 'redis.is-cluster',
    make: async () => {
      const cluster = await startRedisCluster({ replicas: 0, password: CANARY })
      onTestFinished(cluster.stop)
      const [node] = cluster.nodes as [Redis]
      const machine = await makeMachine({ services: [redisAt(node, { password: CANARY })] })
      const repair = async () => {
        const fixed = withEnv(machine, {
          PHP_SESSIONS_TOPOLOGY: 'cluster',
          PHP_SESSIONS_HANDLER: 'native',
          PHP_SESSIONS_LOCKING: 'off',
        })
        await install(fixed)
        return fixed
      }
      return { machine, repair }
    },
  },
  'a Sentinel used as a server': {
    names: 'redis.is-sentinel',
    make: async () => {
      const sentinel = await redis({ sentinel: true })
      const server = await redis({ password: CANARY })
      const machine = await makeMachine({ services: [redisAt(sentinel)] })
      return { machine, repair: () => rebind(machine, redisAt(server, { password: CANARY })) }
    },
  },
  'a Memcached that asks for a login': {
    names: 'auth.missing',
    make: async () => {
      const server = await memcached(SASL)
      const machine = await makeMachine({ services: [memcachedAt(server)] })
      return { machine, repair: () => rebind(machine, memcachedAt(server, SASL)) }
    },
  },
  'a wrong password for Memcached': {
    names: 'auth.rejected',
    make: async () => {
      const server = await memcached(SASL)
      const machine = await makeMachine({ services: [memcachedAt(server, { ...SASL, password: WRONG })] })
      return { machine, repair: () => rebind(machine, memcachedAt(server, SASL)) }
    },
  },
  'a login for a Memcached without logins': {
    names: 'auth.unneeded',
    make: async () => {
      const server = await memcached()
      const machine = await makeMachine({ services: [memcachedAt(server, SASL)] })
      return { machine, repair: () => rebind(machine, memcachedAt(server)) }
    },
  },
  'no SASL plugins': {
    names: 'memcached.sasl-plugins',
    make: async () => {
      const server = await memcached(SASL)
      const machine = await makeMachine({
        services: [memcachedAt(server, SASL)],
        env: { SASL_PATH: makeScratch('no-plugins') },
      })
      return { machine, repair: async () => withEnv(machine, { SASL_PATH: undefined }) }
    },
  },
  'a Memcached with a small item size': onMemcached('memcached.item-size', ['-I', '512k']),
  'PERSISTENT= in an ini file of the app': {
    names: 'memcached.persistent',
    make: async () => {
      const server = await memcached()
      const app = `session.save_path = "PERSISTENT=app_sessions 127.0.0.1:${server.port}"\n`
      return withoutApp(await makeMachine({ services: [memcachedAt(server)], app }))
    },
  },
  'an extension that is not installed': onPhpIni(
    'php.extension',
    () => `extension_dir = ${makeScratch('none')}\n`,
  ),
  'an extension that is not loaded': {
    names: 'php.extension-off',
    make: async () => repairedExtensions(['igbinary', 'msgpack']),
  },
  'an extension without one that it needs': {
    names: 'php.extension-order',
    make: async () => repairedExtensions(['redis']),
  },
  'settings that were never installed': {
    names: 'php.effective',
    make: async () => {
      const server = await redis({ password: CANARY })
      const machine = await makeMachine({
        services: [redisAt(server, { password: CANARY })],
        isInstalled: false,
      })
      return { machine, repair: (fix) => runFix(machine, fix) }
    },
  },
  'a directory of ini files that this user may not write to': {
    names: 'php.ini-directory',
    make: async () => {
      const server = await redis({ password: CANARY })
      const made = await makeMachine({
        services: [redisAt(server, { password: CANARY })],
        isInstalled: false,
      })
      const machine = asNobody(made)
      chmodSync(made.scan, 0o555)
      const repair = async (fix: string) => {
        chmodSync(made.scan, 0o777)
        return runFix(machine, fix)
      }
      return { machine, repair }
    },
  },
  'credentials that were changed': {
    names: 'php.stale',
    make: async () => {
      const server = await redis({ password: CANARY })
      const machine = await makeMachine({ services: [redisAt(server, { password: WRONG })] })
      const changed = withServices(machine, redisAt(server, { password: CANARY }))
      return { machine: changed, repair: (fix) => runFix(changed, fix) }
    },
  },
  "an app's own ini file": onApp('php.effective', 'session.save_handler = files\nsession.save_path = /tmp\n'),
  "an app's .user.ini": onUserIni('php.effective', 'session.save_handler = files\n'),
  "a lock switched off in an app's .user.ini": onUserIni(
    'session.unlocked',
    'redis.session.locking_enabled = Off\n',
  ),
  "a cookie for another host in an app's .user.ini": onUserIni(
    'session.cookie-domain',
    'session.cookie_domain = "app.example:8080"\n',
  ),
  'a cookie for no path': onApp('session.cookie-path', 'session.cookie_path =\n'),
  'no cookies': onApp('session.use-cookies', 'session.use_cookies = 0\n'),
  'settings that are left over where nothing is bound': {
    names: 'php.left-over',
    make: async () => {
      const server = await redis({ password: CANARY })
      const made = await makeMachine({ services: [redisAt(server, { password: CANARY })] })
      const machine = withServices(made)
      const repair = async (fix: string) => {
        rmSync(/remove ([^\s,;]+)/.exec(fix)?.[1] ?? '')
        return machine
      }
      return { machine, repair }
    },
  },
  'an ini file that this user may not read': {
    names: 'php.unreadable',
    make: async () => {
      const server = await redis({ password: CANARY })
      const made = await makeMachine({ services: [redisAt(server, { password: CANARY })] })
      return { machine: asNobody(made), repair: async () => made }
    },
  },
  'an ini file of php-fpm that this user may not read': {
    names: 'php.unreadable',
    make: async () => {
      const server = await redis({ password: CANARY })
      const made = await makeMachine({ services: [redisAt(server, { password: CANARY })] })
      return { machine: asNobody(withOwnDirectories(made)), repair: async () => made }
    },
  },
  'a pool of php-fpm with settings of its own': {
    names: 'php.overridden',
    make: async () => {
      const server = await redis({ password: CANARY })
      const services = [redisAt(server, { password: CANARY })]
      const machine = await makeMachine({ services, pool: 'php_admin_value[session.save_handler] = files' })
      return { machine, repair: () => makeMachine({ services }) }
    },
  },
  'a file of the app in place of the managed handler': afterStart(
    'handler.bypassed',
    'auto_prepend_file = /dev/null',
  ),
  'an open_basedir without the managed handler': afterStart('handler.blocked', 'open_basedir = /srv/app'),
  'a managed handler without opcache': onManaged('php.opcache', ''),
  'settings that were written for the native handler': {
    names: 'php.stale',
    make: async () => {
      const server = await redis({ password: CANARY })
      const made = await makeMachine({ services: [redisAt(server, { password: CANARY })], app: OPCACHE })
      const machine = withEnv(made, MANAGED)
      return { machine, repair: (fix) => runFix(machine, fix) }
    },
  },
  'settings that were written when sessions were not to be encrypted yet': {
    names: 'session.clear',
    make: async () => {
      const server = await redis({ password: CANARY })
      const made = await makeMachine({
        services: [redisAt(server, { password: CANARY })],
        env: { PHP_SESSIONS_ENCRYPTION_KEY: `plain,${SESSION_KEY}` },
        app: OPCACHE,
      })
      const machine = withEnv(made, { PHP_SESSIONS_ENCRYPTION_KEY: SESSION_KEY })
      return { machine, repair: (fix) => runFix(machine, fix) }
    },
  },
  'a command line with other ini files than php-fpm': {
    names: 'php.fpm-differs',
    make: async () => {
      const server = await redis({ password: CANARY })
      const machine = withOwnDirectories(
        await makeMachine({ services: [redisAt(server, { password: CANARY })] }),
      )
      return { machine, repair: (fix) => runFix(machine, fix) }
    },
  },
  'a Memcached pool that lacks a server': {
    names: 'net.connect',
    make: async () => {
      const [first, second] = [await memcached(), await startMemcached()]
      const services = [memcachedAt(first, { servers: `127.0.0.1:${first.port},127.0.0.1:${second.port}` })]
      const machine = await makeMachine({ services })
      await second.stop()
      return { machine, repair: () => rebind(machine, memcachedAt(first)) }
    },
  },
  'a syntax error in an ini file': onApp('php.ini-syntax', 'mail.log = "a\n'),
  'no PHP': {
    names: 'php.missing',
    make: async () => {
      const server = await redis({ password: CANARY })
      const machine = await makeMachine({ services: [redisAt(server, { password: CANARY })] })
      return { machine: withEnv(machine, { PATH: '/nowhere' }), repair: async () => machine }
    },
  },
  'two session stores': {
    names: 'store.ambiguous',
    make: async () => {
      const [first, second] = [await redis({ password: CANARY }), await memcached()]
      const services = [redisAt(first, { password: CANARY }), memcachedAt(second)]
      const machine = await makeMachine({ services })
      return { machine, repair: async () => withServices(machine, services[0] as Service) }
    },
  },
  'a CredHub reference': {
    names: 'binding.credhub',
    make: async () => {
      const server = await redis({ password: CANARY })
      const machine = await makeMachine({
        services: [{ name: 'app-redis-sessions', credentials: { 'credhub-ref': '/c/broker/x' } }],
      })
      return { machine, repair: () => rebind(machine, redisAt(server, { password: CANARY })) }
    },
  },
  'an ill-formed setting': {
    names: 'option.value',
    make: async () => {
      const server = await redis({ password: CANARY })
      const made = await makeMachine({ services: [redisAt(server, { password: CANARY })] })
      return { machine: withEnv(made, { PHP_SESSIONS_LIFETIME: '1h' }), repair: async () => made }
    },
  },
  'session.auto_start': onApp('session.auto-start', 'session.auto_start = 1\n'),
  'a cookie that outlives its session': {
    names: 'session.lifetime',
    make: async () => {
      const server = await redis({ password: CANARY })
      const machine = await makeMachine({
        services: [redisAt(server, { password: CANARY })],
        app: 'session.cookie_lifetime = 86400\n',
      })
      const repair = async (fix: string) => {
        const lifetime = /PHP_SESSIONS_LIFETIME=(\d+)/.exec(fix)?.[1]
        const fixed = withEnv(machine, { PHP_SESSIONS_LIFETIME: lifetime })
        await install(fixed)
        return fixed
      }
      return { machine, repair }
    },
  },
  'locks that the app has switched off': onApp('session.unlocked', 'redis.session.locking_enabled = Off\n'),
  display_errors: onApp('secret.display', 'display_errors = On\n'),
  'a password that everybody can read': {
    names: 'secret.files',
    make: async () => {
      const server = await redis({ password: CANARY })
      const machine = await makeMachine({ services: [redisAt(server, { password: CANARY })] })
      const file = join(machine.scan, '00-php-sessions.ini')
      chmodSync(file, 0o644)
      const repair = async (fix: string) => {
        chmodSync(fix.replace('chmod 600 ', ''), 0o600)
        return machine
      }
      return { machine, repair }
    },
  },
}

/** Only php-fpm reads the ini files of the machine; the command line has a directory of its own, as on Debian. */
function withOwnDirectories(machine: Machine): Machine {
  const programs = join(machine.directory, 'bin')
  for (const name of readdirSync(programs).filter((file) => file.startsWith('php-fpm'))) {
    const program = join(programs, name)
    const own = `export PHP_INI_SCAN_DIR='${machine.scan}'\nexec `
    writeFileSync(program, readText(program).replace('exec ', own))
  }
  return withEnv(machine, { PHP_INI_SCAN_DIR: makeScratch('cli') })
}

async function redis(options: RedisOptions = {}): Promise<Redis> {
  const server = await startRedis({ ...tlsForOwn(), ...options })
  onTestFinished(server.stop)
  return server
}

async function memcached(sasl?: typeof SASL): Promise<Memcached> {
  const server = await startMemcached(sasl === undefined ? {} : { sasl })
  onTestFinished(server.stop)
  return server
}

async function memcachedFor(...options: readonly string[]): Promise<{ readonly port: number }> {
  const server = await startServer({
    name: 'memcached',
    ports: 1,
    command: ({ ports: [port] }) => ({
      file: 'memcached',
      args: [
        ...['-l', '127.0.0.1', '-p', String(port), '-U', '0', ...options],
        ...(process.getuid?.() === 0 ? ['-u', 'root'] : []),
      ],
    }),
  })
  onTestFinished(server.stop)
  return { port: server.ports[0] as number }
}

/** Takes connections of a server. Returns what gives them back. */
async function hold(port: number, count = 1): Promise<() => void> {
  const sockets = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1' }))
  for (const socket of sockets) {
    socket.on('error', () => {})
    await new Promise((resolve) => socket.once('connect', resolve))
  }
  const end = () => {
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(end)
  return end
}

function authority(): CertificateAuthority {
  const made = makeAuthority()
  onTestFinished(made.remove)
  return made
}

const otherAuthority = authority

function redisAt({ host, port }: Redis, credentials: Credentials = {}): Service {
  return { name: 'app-redis-sessions', credentials: { host, port, ...credentials } }
}

function memcachedAt({ port }: { readonly port: number }, credentials: Credentials = {}): Service {
  return { name: 'app-memcached-sessions', credentials: { servers: `127.0.0.1:${port}`, ...credentials } }
}

function tlsCredentials({ tlsPort = 0 }: Redis, ca: string | undefined): Credentials {
  return { host: 'localhost', tls_port: tlsPort, ...(ca === undefined ? {} : { ca: readText(ca) }) }
}

function readText(path: string): string {
  return readFileSync(path, 'utf8')
}

async function rebind(machine: Machine, ...services: readonly Service[]): Promise<Machine> {
  const fixed = withServices(machine, ...services)
  await install(fixed)
  return fixed
}

/** Runs the command in doctor's advice. */
async function runFix(machine: Machine, fix: string): Promise<Machine> {
  const [, file = ''] = /php-sessions ini --output ([^\s,;]+)/.exec(fix) ?? []
  await install(machine, file)
  return machine
}

function onRedis(names: string, options: RedisOptions, wrong: Credentials, right: Credentials): Fault {
  return {
    names,
    make: async () => {
      const server = await redis(options)
      const machine = await makeMachine({ services: [redisAt(server, wrong)] })
      return { machine, repair: () => rebind(machine, redisAt(server, right)) }
    },
  }
}

function onAcl(rules: readonly string[], env: Readonly<Record<string, string>> = {}): Fault {
  return {
    names: 'redis.permission',
    make: async () => {
      const server = await redis({ password: 'admin', user: { name: 'root', password: 'admin' } })
      server.cli('ACL', 'SETUSER', 'app', 'on', `>${CANARY}`, ...everyRight({}), ...rules)
      const services = [redisAt(server, { username: 'app', password: CANARY })]
      const machine = await makeMachine({ services, env, app: OPCACHE })
      const repair = async (fix: string) => {
        const words = /ACL SETUSER (app [^,]+)/.exec(fix)?.[1]?.split(' ') ?? []
        server.cli('ACL', 'SETUSER', ...words)
        return machine
      }
      return { machine, repair }
    },
  }
}

interface TlsCase {
  readonly broken: Certificates
  readonly fixed: Certificates
  /** The CA in the broken binding; the right one when absent. */
  readonly brokenCa?: string | undefined
}

function onTls(names: string, prepare: (ca: CertificateAuthority) => TlsCase): Fault {
  return {
    names,
    make: async () => {
      const prepared = prepare(authority())
      const [broken, fixed] = [
        await redis({ password: CANARY, tls: prepared.broken }),
        await redis({ password: CANARY, tls: prepared.fixed }),
      ]
      const ca = 'brokenCa' in prepared ? prepared.brokenCa : prepared.broken.ca
      const service = (server: Redis, file: string | undefined) =>
        redisAt(server, { password: CANARY, ...tlsCredentials(server, file) })
      const machine = await makeMachine({ services: [service(broken, ca)] })
      return { machine, repair: () => rebind(machine, service(fixed, prepared.fixed.ca)) }
    },
  }
}

/** A line that an app gets after the settings for the managed handler were written. */
function afterStart(names: string, line: string): Fault {
  return {
    names,
    make: async () => {
      const server = await redis({ password: CANARY })
      const services = [redisAt(server, { password: CANARY })]
      const machine = await makeMachine({ services, env: MANAGED, app: OPCACHE })
      const own = join(machine.scan, '99-app.ini')
      writeFileSync(own, `${OPCACHE}${line}\n`)
      const repair = async () => {
        writeFileSync(own, OPCACHE)
        return machine
      }
      return { machine, repair }
    },
  }
}

function onManaged(names: string, app: string): Fault {
  return {
    names,
    make: async () => {
      const server = await redis({ password: CANARY })
      const services = [redisAt(server, { password: CANARY })]
      const machine = await makeMachine({ services, env: MANAGED, app })
      const repair = async () => {
        writeFileSync(join(machine.scan, '99-app.ini'), OPCACHE)
        return machine
      }
      return { machine, repair }
    },
  }
}

/** A Redis with these lines in its configuration, and one without them. */
function onLines(names: string, lines: readonly string[], env: Readonly<Record<string, string>> = {}): Fault {
  return {
    names,
    make: async () => {
      const [server, usual] = [await redis({ password: CANARY, lines }), await redis({ password: CANARY })]
      const machine = await makeMachine({
        services: [redisAt(server, { password: CANARY })],
        env,
        app: OPCACHE,
      })
      return { machine, repair: () => rebind(machine, redisAt(usual, { password: CANARY })) }
    },
  }
}

/** A Memcached with these options, and one without them. */
function onMemcached(names: string, options: readonly string[]): Fault {
  return {
    names,
    make: async () => {
      const [server, usual] = [await memcachedFor(...options), await memcached()]
      const machine = await makeMachine({ services: [memcachedAt(server)] })
      return { machine, repair: () => rebind(machine, memcachedAt(usual)) }
    },
  }
}

function onOtherStore(hasLogin: boolean): Fault {
  return {
    names: 'net.other-store',
    make: async () => {
      const [server, right] = [await memcached(hasLogin ? SASL : undefined), await redis()]
      const { port } = server
      const machine = await makeMachine({ services: [redisAt(right, { port })] })
      return { machine, repair: () => rebind(machine, redisAt(right)) }
    },
  }
}

type RedisSettings = Readonly<Record<string, string>>

function onConfig(names: string, wrong: RedisSettings, right: RedisSettings): Fault {
  return {
    names,
    make: async () => {
      const server = await redis({ password: CANARY })
      const machine = await makeMachine({ services: [redisAt(server, { password: CANARY })] })
      // One by one: several in one command are of Redis 7.
      const set = (settings: RedisSettings) => {
        for (const [name, value] of Object.entries(settings)) server.cli('CONFIG', 'SET', name, value)
      }
      set(wrong)
      const repair = async () => {
        set(right)
        return machine
      }
      return { machine, repair }
    },
  }
}

async function freeze<Server extends Pick<Redis, 'signal'>>(
  server: Server,
  bind: (server: Server) => Service,
): Promise<Broken> {
  const machine = await makeMachine({ services: [bind(server)] })
  server.signal('SIGSTOP')
  const repair = async () => {
    server.signal('SIGCONT')
    return machine
  }
  return { machine, repair }
}

function onApp(names: string, app: string): Fault {
  return {
    names,
    make: async () => {
      const server = await redis({ password: CANARY })
      return withoutApp(await makeMachine({ services: [redisAt(server, { password: CANARY })], app }))
    },
  }
}

/** A line in the app's own directory. */
function onUserIni(names: string, lines: string): Fault {
  return {
    names,
    make: async () => {
      const server = await redis({ password: CANARY })
      const machine = await makeMachine({ services: [redisAt(server, { password: CANARY })] })
      const file = join(machine.directory, 'app/.user.ini')
      writeFileSync(file, lines)
      const repair = async () => {
        rmSync(file)
        return machine
      }
      return { machine, repair }
    },
  }
}

function withoutApp(machine: Machine): Broken {
  const repair = async () => {
    rmSync(join(machine.scan, '99-app.ini'))
    return machine
  }
  return { machine, repair }
}

function onPhpIni(names: string, lines: () => string): Fault {
  return {
    names,
    make: async () => {
      const server = await redis({ password: CANARY })
      const services = [redisAt(server, { password: CANARY })]
      const machine = await makeMachine({ services })
      writeFileSync(join(machine.directory, 'php.ini'), `display_errors = Off\n${lines()}`)
      return { machine, repair: () => makeMachine({ services }) }
    },
  }
}

async function repairedExtensions(extensions: readonly string[]): Promise<Broken> {
  const server = await redis({ password: CANARY })
  const services = [redisAt(server, { password: CANARY })]
  return { machine: await makeMachine({ services, extensions }), repair: () => makeMachine({ services }) }
}
