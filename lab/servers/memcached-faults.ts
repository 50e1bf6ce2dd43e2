import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { CANARY, type Service } from '../bindings.ts'
import { type Memcached, type MemcachedOptions, startMemcached } from './memcached.ts'

/** A fault of a Memcached that an app has been using. */
export interface MemcachedFault {
  readonly which?: MemcachedOptions
  /** The page that meets it: one that takes a second, in whose middle it happens, or one with a session of 1.5 MB. */
  readonly page?: 'hold' | 'big'
  make(server: Memcached, which: MemcachedOptions): Promise<readonly Memcached[]>
}

const sasl = { username: 'app', password: CANARY }
const freeze = async (server: Memcached) => {
  server.signal('SIGSTOP')
  return [server]
}

/** Another server at the place of one. */
async function replace(server: Memcached, options: MemcachedOptions): Promise<Memcached> {
  await server.stop()
  return startMemcached({ ...options, at: server })
}

/** The ways in which a Memcached can fail an app, by what people would call them. */
export const MEMCACHED_FAULTS: Readonly<Record<string, MemcachedFault>> = {
  'a closed port': { make: (server) => server.stop().then(() => []) },
  'a swallowed SYN': { make: (server) => swallow(server, {}) },
  'a frozen server, the worker is connected': { make: freeze },
  'a frozen server, the worker connects anew': {
    make: async (server) => freeze(await replace(server, {})),
  },
  'a frozen server with a login': { which: { sasl }, make: freeze },
  'a frozen server, in the middle of a page': { page: 'hold', make: freeze },
  'a restart in the middle of a page': { page: 'hold', make: async (server) => [await replace(server, {})] },
  'a session of 1.5 MB': { page: 'big', make: async (server) => [server] },
  'another password': {
    which: { sasl },
    make: async (server) => [await replace(server, { sasl: { ...sasl, password: 'another' } })],
  },
  'a login that the binding does not have': {
    make: async (server) => [await replace(server, { sasl })],
  },
}

/** Connects to a frozen server until the kernel drops what arrives, as a firewall would. */
export async function fillBacklog({ port }: Memcached): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  for (let isFull = false; !isFull; ) {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    sockets.push(socket)
    const connected = new Promise<boolean>((resolve) => socket.once('connect', () => resolve(false)))
    isFull = await Promise.race([connected, sleep(500, true)])
  }
  return sockets
}

async function swallow(server: Memcached, options: MemcachedOptions): Promise<readonly Memcached[]> {
  const other = await replace(server, { ...options, more: '-b 1' })
  other.signal('SIGSTOP')
  const sockets = await fillBacklog(other)
  const stop = async () => {
    for (const socket of sockets) socket.destroy()
    await other.stop()
  }
  return [{ ...other, stop }]
}

/** Starts a server that this fault can happen to; what is there after it is stopped with it. */
export async function startBreakableMemcached({ which = {}, make }: MemcachedFault) {
  const server = await startMemcached(which)
  let left: readonly Memcached[] = [server]
  const credentials = { host: server.host, port: server.port, ...which.sasl }
  const service: Service = { name: 'memcached-sessions', credentials }
  return {
    service,
    break: async () => {
      left = await make(server, which)
    },
    stop: async () => void (await Promise.all(left.map((one) => one.stop()))),
  }
}
