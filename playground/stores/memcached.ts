import { setTimeout as sleep } from 'node:timers/promises'
import { startMemcached } from '../../lab/servers/memcached.ts'
import { makePassword } from './password.ts'
import { bind, type PlayStore, type StoreOptions } from './store.ts'

const RESTART_MILLISECONDS = 1500

/** One Memcached with a login, as php_buildpack demands it. It keeps nothing when it restarts. */
export async function startOneMemcached({ name }: StoreOptions): Promise<PlayStore> {
  const sasl = { username: 'app', password: makePassword() }
  let server = await startMemcached({ sasl })
  return {
    kind: 'memcached',
    title: 'Memcached',
    services: () => bind('memcached', { servers: `${server.host}:${server.port}`, ...sasl }, name),
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
    restart: async () => {
      await server.stop()
      await sleep(RESTART_MILLISECONDS)
      server = await startMemcached({ sasl, at: server })
    },
    stop: () => server.stop(),
  }
}
