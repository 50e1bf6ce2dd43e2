import { CANARY, type Service } from '../../lab/bindings.ts'
import type { AccessOptions } from '../../lab/redis/options.ts'
import { startRedis } from '../../lab/redis/server.ts'
import { makeCertificates } from '../../lab/servers/certificates.ts'
import { startMemcached } from '../../lab/servers/memcached.ts'

/** A real server, and its binding. */
export interface StartedStore {
  readonly service: Service
  /** Variables that the app's container needs beside the binding, e.g. for an operator's trusted certificates. */
  readonly env: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/** Every kind of server that can keep sessions, by name; each function starts one and gives its binding. */
export const STORES: Readonly<
  Record<string, (tls?: Pick<AccessOptions, 'isTls12Only'>) => Promise<StartedStore>>
> = {
  'Redis without a password': async () => {
    const server = await startRedis()
    return redis({ host: server.host, port: server.port }, server.stop)
  },
  'Redis with a password': async () => {
    const server = await startRedis({ password: CANARY })
    return redis({ hostname: server.host, port: String(server.port), password: CANARY }, server.stop)
  },
  'Redis with an ACL user': async () => {
    const server = await startRedis({ user: { name: 'app&+%,@', password: CANARY } })
    return redis(
      { host: server.host, port: server.port, username: 'app&+%,@', password: CANARY },
      server.stop,
    )
  },
  'Redis over TLS': async (more = {}) => {
    const tls = makeCertificates()
    const server = await startRedis({ password: CANARY, tls, ...more })
    const credentials = {
      host: 'localhost',
      port: server.port,
      tls_port: server.tlsPort ?? 0,
      password: CANARY,
    }
    const stop = async () => {
      await server.stop()
      tls.remove()
    }
    return { ...redis(credentials, stop), env: { SSL_CERT_FILE: tls.ca } }
  },
  'Memcached without a login': async () => {
    const server = await startMemcached()
    return memcached({ servers: `${server.host}:${server.port}` }, server.stop)
  },
  'Memcached with SASL': async () => {
    const sasl = { username: 'app', password: CANARY }
    const server = await startMemcached({ sasl })
    return memcached({ servers: `${server.host}:${server.port}`, ...sasl }, server.stop)
  },
}

function redis(credentials: Service['credentials'], stop: StartedStore['stop']): StartedStore {
  return {
    service: { name: 'app-redis-sessions', label: 'p.redis', tags: ['redis'], credentials },
    env: {},
    stop,
  }
}

function memcached(credentials: Service['credentials'], stop: StartedStore['stop']): StartedStore {
  return {
    service: { name: 'app-memcached-sessions', label: 'memcached', tags: [], credentials },
    env: {},
    stop,
  }
}
