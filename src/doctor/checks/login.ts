import type { Finding } from '../../core/finding.ts'
import type { PlannedStore } from '../../plan/plan.ts'
import type { StoreName } from '../../stores/store.ts'
import type { Check, Context } from '../check.ts'
import { reach } from './network.ts'

/** Whether the server lets us in with the credentials of the binding. */
export const login: Check = {
  id: 'auth.login',
  meaning: 'does the server let us in?',
  needs: ['php.extension', 'tls.handshake'],
  run: (context) => {
    const { planned } = context.plan
    if (planned === undefined) return undefined
    const { user, password } = planned.endpoint
    const who = user === undefined ? 'without a user' : `as ${user.value}`
    const refused = FIND_REFUSED[planned.store.name](context, planned)
    return {
      title: `the server lets us in ${who}, ${password === undefined ? 'without a password' : 'with the password'}`,
      findings: refused === undefined ? [] : [{ level: 'error', ...refused }],
    }
  },
}

type RefusedLogin = Omit<Finding, 'level'>

/** What a store has against the login. */
const FIND_REFUSED: Readonly<
  Record<StoreName, (context: Context, planned: PlannedStore) => RefusedLogin | undefined>
> = { redis: findRedisRefused, memcached: findMemcachedRefused }

function findRedisRefused(context: Context, planned: PlannedStore): RefusedLogin | undefined {
  const { login: isIn, error } = context.ask('redis')
  if (isIn === true) return undefined
  const { endpoint, service } = planned
  const { user } = endpoint
  const said = error ?? 'nothing'
  if (/called without any password configured|no password is set/i.test(said))
    return passwordUnneeded(planned)
  if (/NOAUTH|operation not permitted/i.test(said))
    return passwordMissing(service, endpoint.servers[0]?.from ?? '')
  if (/wrong number of arguments for 'auth'/i.test(said))
    return {
      id: 'auth.user',
      title: `this server knows no users (${said}), and the credentials have one`,
      from: user?.from ?? service,
      fix: 'take the user out of the credentials; Redis before 6 has passwords only',
    }
  if (/WRONGPASS|invalid password|invalid username/i.test(said)) return loginRejected(planned, said)
  if (/NOPERM/i.test(said))
    return {
      id: 'redis.permission',
      title: `the user may not even ask whether the server is there: ${said}`,
      from: user?.from ?? service,
      fix: `have it allowed: ACL SETUSER ${user?.value ?? 'default'} +ping +@connection`,
    }
  return {
    id: 'auth.failed',
    title: `phpredis cannot use the connection: ${said}`,
    from: endpoint.servers[0]?.from ?? service,
    fix: 'see the log of the server, and php-sessions doctor --debug',
  }
}

function loginRejected({ endpoint: { user, password }, service }: PlannedStore, said: string): RefusedLogin {
  return {
    id: 'auth.rejected',
    title:
      user === undefined
        ? `the server takes another password: ${said}`
        : `the server takes another password for ${user.value}, or knows no such user: ${said}`,
    from: password?.from ?? service,
    fix: `the password may have been changed: bind ${service} again, or correct it where it is written, then restart the app`,
  }
}

function passwordMissing(service: string, from: string): RefusedLogin {
  return {
    id: 'auth.missing',
    title: 'the server asks for a password, and the credentials have none',
    from,
    fix: `put password into the credentials of ${service} (and username, if the server has users)`,
  }
}

/** How a store is made to ask for a password. */
const PASSWORD_SETTING: Readonly<Record<StoreName, string>> = {
  redis: 'requirepass',
  memcached: 'memcached -S',
}

function passwordUnneeded({ store, endpoint: { password } }: PlannedStore): RefusedLogin {
  return {
    id: 'auth.unneeded',
    title:
      'the credentials have a password, and the server has none: it refuses the login, and PHP the session',
    from: password?.from ?? '',
    fix: `take the password out of the credentials, or set it on the server (${PASSWORD_SETTING[store.name]})`,
  }
}

function findMemcachedRefused(context: Context, planned: PlannedStore): RefusedLogin | undefined {
  const { servers = [], hasPlugin } = context.ask('memcached')
  const failed = servers.findIndex(({ isStored }) => !isStored)
  const answers = reach(context)?.reached ?? []
  // A server of a pool that is away has been named before.
  const server = answers[failed]
  if (failed === -1 || server === undefined || (servers.length > 1 && isAway(server.answer.state)))
    return undefined
  const { endpoint, service } = planned
  const { password } = endpoint
  const isPlain = server.answer.hasLogin === false
  const result = servers[failed]?.result ?? ''
  if (password !== undefined && isPlain) return passwordUnneeded(planned)
  if (password === undefined && !isPlain) return passwordMissing(service, server.server.from)
  if (password !== undefined && hasPlugin === false)
    return {
      id: 'memcached.sasl-plugins',
      title: 'libsasl has no plugin for the mechanism PLAIN, with which php-memcached logs in',
      from: `SASL_PATH=${context.host.env.SASL_PATH ?? ''}, or the directory sasl2 beside the libraries`,
      fix: 'apt-get install libsasl2-modules',
    }
  if (password !== undefined) return loginRejected(planned, result)
  return {
    id: 'memcached.failed',
    title: `Memcached does not keep a value: ${result}`,
    from: server.server.from,
    fix: 'see the log of the server, and php-sessions doctor --debug',
  }
}

function isAway(state: string): boolean {
  return ['unresolved', 'refused', 'slow', 'untried', 'silent'].includes(state)
}
