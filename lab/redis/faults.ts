import { copyFileSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { CANARY, type Service } from '../bindings.ts'
import { type CertificateAuthority, type Certificates, makeAuthority } from '../servers/certificates.ts'
import type { Redis } from './options.ts'
import { startRedis } from './server.ts'

/** A fault of a Redis that an app has been using. */
export interface StoreFault {
  /** The port that the app uses; the one without TLS when absent. */
  readonly port?: 'tls'
  /** Whether the server demands a password before the fault; it does when absent. */
  readonly hasPassword?: false
  make(store: Running): void | Promise<void>
  /** What the managed handler's log line must contain; absent for faults that nobody should notice. */
  readonly cause?: RegExp
}

interface Running {
  readonly redis: Redis
  readonly authority: CertificateAuthority
  /** The files of its certificate. */
  readonly tls: Certificates
  /** Starts a server with the same options in its place, on these ports. */
  replaceOn(ports: Pick<Redis, 'port' | 'tlsPort'>): Promise<void>
  /** Closed when the store stops. */
  readonly sockets: Socket[]
}

/** A real server, and the service by which it is bound to the app. */
export interface Breakable {
  readonly redis: Redis
  readonly service: Service
  break(): Promise<void>
  stop(): Promise<void>
}

// The connection of this command itself stays.
const CUT = ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']
const TIMED_OUT = /no answer for [23] seconds/

/** The ways in which a store can fail an app, by what people would call them. */
export const STORE_FAULTS: Readonly<Record<string, StoreFault>> = {
  'a closed port': { make: ({ redis }) => redis.stop(), cause: /Connection refused/ },
  'a swallowed SYN': {
    make: async (store) => {
      freeze(store, CUT)
      await fillBacklog(store)
    },
    cause: /timed out/,
  },
  'a frozen server, the worker is connected': { make: (store) => freeze(store), cause: TIMED_OUT },
  'a frozen server, the worker connects anew': { make: (store) => freeze(store, CUT), cause: TIMED_OUT },
  'a full server': { make: ({ redis }) => set(redis, 'maxmemory', '1'), cause: /OOM/ },
  'another password': {
    make: ({ redis }) => withoutVisitors(redis, ['ACL', 'SETUSER', 'default', 'resetpass', '>another']),
    cause: /WRONGPASS/,
  },
  'a password that the binding does not have': {
    hasPassword: false,
    make: ({ redis }) => withoutVisitors(redis, ['ACL', 'SETUSER', 'default', 'resetpass', `>${CANARY}`]),
    cause: /NOAUTH the server asks for a password, and the binding has none/,
  },
  'a user without the rights': {
    make: ({ redis }) => void redis.cli('ACL', 'SETUSER', 'default', '-evalsha', '-eval'),
    cause: /NOPERM/,
  },
  'a replica': {
    make: ({ redis }) => void redis.cli('REPLICAOF', '127.0.0.1', '1'),
    cause: /READONLY|MASTERDOWN/,
  },
  'as many clients as it allows': { make: crowd, cause: /ERR max number of clients reached/ },
  'as many clients as it allows, over TLS': {
    port: 'tls',
    make: crowd,
    cause: /perhaps because it has no more \(maxclients\)/,
  },
  'killed connections': { make: ({ redis }) => void redis.cli(...CUT) },
  'a flushed script cache': { make: ({ redis }) => void redis.cli('SCRIPT', 'FLUSH') },
  'an expired certificate': {
    port: 'tls',
    // Redis 6.0 takes one setting at a time, and refuses a certificate without its key: it reads both again.
    make: ({ redis, authority, tls }) => {
      const { certificate, key } = authority.expired()
      copyFileSync(certificate, tls.certificate)
      copyFileSync(key, tls.key)
      return withoutVisitors(redis, ['CONFIG', 'SET', 'tls-cert-file', tls.certificate])
    },
    cause: /certificate verify failed/,
  },
  'TLS at a port without TLS': { port: 'tls', make: swapPorts, cause: /SSL/ },
  'no TLS at a port with TLS': { make: swapPorts, cause: /closed the connection|not RESP|no answer/ },
}

/** Starts a server that this fault can happen to. */
export async function startBreakable({ port, hasPassword, make }: StoreFault): Promise<Breakable> {
  const authority = makeAuthority()
  const tls = authority.server()
  const login = hasPassword === false ? {} : { password: CANARY }
  // A short queue is full soon.
  const options = { ...login, tls, lines: ['tcp-backlog 1'] }
  const redis = await startRedis(options)
  let current = redis
  const replaceOn: Running['replaceOn'] = async (ports) => {
    await current.stop()
    current = await startRedis({ ...options, at: { ...redis, ...ports } })
  }
  const place =
    port === 'tls'
      ? { host: 'localhost', tls_port: redis.tlsPort ?? 0, ca: readFileSync(tls.ca, 'utf8') }
      : { host: redis.host, port: redis.port }
  const sockets: Socket[] = []
  return {
    redis,
    service: { name: 'redis-sessions', credentials: { ...place, ...login } },
    break: async () => make({ redis, authority, tls, sockets, replaceOn }),
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await current.stop()
      authority.remove()
    },
  }
}

function set(redis: Redis, ...pair: readonly string[]): void {
  redis.cli('CONFIG', 'SET', ...pair)
}

/** Runs commands and closes all connections: kept connections would stay logged in. */
async function withoutVisitors(redis: Redis, ...commands: readonly (readonly string[])[]): Promise<void> {
  await redis.batch([...commands, CUT])
}

/** Allows one client, ends all others, and becomes that one. */
async function crowd({ redis, sockets }: Running): Promise<void> {
  await withoutVisitors(redis, ['CONFIG', 'SET', 'maxclients', '1'])
  // The server may not have seen yet that the last client has gone.
  for (let said = 'ERR max'; said.includes('ERR max'); ) {
    const socket = connect(redis.port, redis.host).on('error', () => {})
    sockets.push(socket)
    socket.write('PING\r\n')
    said = await new Promise((resolve) => {
      socket.once('data', (bytes) => resolve(String(bytes)))
      socket.once('close', () => resolve('ERR max'))
    })
  }
}

function freeze({ redis }: Running, before?: readonly string[]): void {
  if (before !== undefined) redis.cli(...before)
  redis.signal('SIGSTOP')
}

/** Connects to a frozen server until the kernel drops what arrives, as a firewall would. */
async function fillBacklog({ redis, sockets }: Running): Promise<void> {
  for (let isFull = false; !isFull; ) {
    const socket = connect(redis.port, redis.host).on('error', () => {})
    sockets.push(socket)
    const connected = new Promise<boolean>((resolve) => socket.once('connect', () => resolve(false)))
    isFull = await Promise.race([connected, sleep(500, true)])
  }
}

/** Makes the TLS port speak without TLS, and the other port with TLS. Redis before 7 cannot change its port while it runs. */
function swapPorts({ redis, replaceOn }: Running): Promise<void> {
  const { port, tlsPort = 0 } = redis
  return replaceOn({ port: tlsPort, tlsPort: port })
}
