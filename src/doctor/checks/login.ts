import type { StoreName } from '../../core/endpoint.ts'
import type { Finding } from '../../core/finding.ts'
import type { PlannedStore } from '../../plan/plan.ts'
import type { Check, Context } from '../check.ts'
import { reachServers } from './network.ts'

/** Whether the server accepts the credentials of the binding. */
export const login: Check = {
  id: 'auth.login',
  meaning: 'does the server accept the login?',
  needs: ['php.extension', 'tls.handshake'],
  run: (context) => {
    const { planned } = context.plan
    if (planned === undefined) return undefined
    const refused = FIND_REFUSED[planned.store.name](context, planned)
    return {
      title: `the server accepts ${describeLogin(planned)}`,
      findings: refused === undefined ? [] : [{ level: 'error', ...refused }],
    }
  },
}

function describeLogin({ endpoint: { user, password } }: PlannedStore): string {
  if (user === undefined) return password === undefined ? 'connections without a password' : 'the password'
  return `user ${user.value} ${password === undefined ? 'without a password' : 'with the password'}`
}

type RefusedLogin = Omit<Finding, 'level'>

/** Why a store refuses the login; undefined where it accepts it. */
const FIND_REFUSED: Readonly<
  Record<StoreName, (context: Context, planned: PlannedStore) => RefusedLogin | undefined>
> = { redis: findRedisRefused, memcached: findMemcachedRefused }

function findRedisRefused(context: Context, planned: PlannedStore): RefusedLogin | undefined {
  const { login: isIn, error } = context.ask('redis')
  if (isIn === true) return undefined
  const { endpoint, service } = planned
  const { user } = endpoint
  const said = error ?? 'it gives no reason'
  if (/called without any password configured|no password is set/i.test(said))
    return passwordUnneeded(planned)
  if (/NOAUTH|operation not permitted/i.test(said))
    return passwordMissing(service, endpoint.servers[0]?.from ?? '')
  if (/wrong number of arguments for 'auth'/i.test(said))
    return {
      id: 'auth.user',
      title: `the server has no users (${said}), but the credentials name one`,
      from: user?.from ?? service,
      fix: 'remove the user from the credentials; Redis before 6 has passwords only',
    }
  if (/WRONGPASS|invalid password|invalid username/i.test(said)) return loginRejected(planned, said)
  if (/NOPERM/i.test(said))
    return {
      id: 'redis.permission',
      title: `user ${user?.value ?? 'default'} may not log in and send PING: ${said}`,
      from: user?.from ?? service,
      fix: `allow it: ACL SETUSER ${user?.value ?? 'default'} +ping +@connection`,
    }
  return {
    id: 'auth.failed',
    title: `phpredis cannot use the connection: ${said}`,
    from: endpoint.servers[0]?.from ?? service,
    fix: 'look in the log of the server, and run php-sessions doctor --debug',
  }
}

function loginRejected({ endpoint: { user, password }, service }: PlannedStore, said: string): RefusedLogin {
  return {
    id: 'auth.rejected',
    title:
      user === undefined
        ? `the server rejects this password: ${said}`
        : `the server rejects this password for user ${user.value}, or has no such user: ${said}`,
    from: password?.from ?? service,
    fix: `bind ${service} again, as its password may have changed, or correct the password where it is written; then restart the app`,
  }
}

function passwordMissing(service: string, from: string): RefusedLogin {
  return {
    id: 'auth.missing',
    title: 'the server asks for a password, but the credentials have none',
    from,
    fix: `add password to the credentials of ${service} (and username, if the server has users)`,
  }
}

/** How a server is made to ask for a password. */
const SET_PASSWORD: Readonly<Record<StoreName, string>> = {
  redis: 'set it on the server (requirepass)',
  memcached: 'start the server with logins (memcached -S)',
}

function passwordUnneeded({ store, endpoint: { password } }: PlannedStore): RefusedLogin {
  return {
    id: 'auth.unneeded',
    title:
      'the credentials have a password but the server has none: it refuses the login, and no session can start',
    from: password?.from ?? '',
    fix: `remove the password from the credentials, or ${SET_PASSWORD[store.name]}`,
  }
}

function findMemcachedRefused(context: Context, planned: PlannedStore): RefusedLogin | undefined {
  const { servers = [], hasPlugin } = context.ask('memcached')
  const failed = servers.findIndex(({ isStored }) => !isStored)
  const answers = reachServers(context)?.reached ?? []
  // A check before this one has named each server of a pool that is away.
  const server = answers[failed]
  if (failed === -1 || server === undefined || (servers.length > 1 && isAway(server.answer.state)))
    return undefined
  const { endpoint, service } = planned
  const { password } = endpoint
  const isPlain = server.answer.hasLogin === false
  const result = servers[failed]?.result ?? ''
  const path = context.host.env.SASL_PATH ?? ''
  if (password !== undefined && isPlain) return passwordUnneeded(planned)
  if (password === undefined && !isPlain) return passwordMissing(service, server.server.from)
  if (password !== undefined && hasPlugin === false)
    return {
      id: 'memcached.sasl-plugins',
      title: 'libsasl has no plugin for PLAIN, the mechanism with which php-memcached logs in',
      from: path === '' ? "the directory sasl2 beside the system's libraries" : `SASL_PATH=${path}`,
      fix: 'apt-get install libsasl2-modules',
    }
  if (password !== undefined) return loginRejected(planned, result)
  return {
    id: 'memcached.failed',
    title: `Memcached does not store a value: ${result}`,
    from: server.server.from,
    fix: 'look in the log of the server, and run php-sessions doctor --debug',
  }
}

function isAway(state: string): boolean {
  return ['unresolved', 'refused', 'slow', 'untried', 'silent'].includes(state)
}
