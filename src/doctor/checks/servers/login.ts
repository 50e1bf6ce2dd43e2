import { DEFAULT_USER, type StoreName } from '../../../core/endpoint.ts'
import type { Finding } from '../../../core/finding.ts'
import type { PlannedStore } from '../../../plan/plan.ts'
import type { Check, Context } from '../../check.ts'
import { serverName } from '../../server-name.ts'
import { isUsable, reachServers } from './network.ts'
import { describeBroken, findServerError } from './server-errors.ts'

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
  const { login: isIn, error, broken, sending } = context.ask('redis')
  if (isIn === true) return undefined
  const { endpoint, service } = planned
  const { user, password } = endpoint
  const server = planned.servers[0]
  const from = server?.from ?? service
  if (broken !== undefined) return { ...describeBroken(server, broken, context.quote), from }
  if (typeof sending === 'string')
    return { ...describeBroken(server, { command: sending, isSilent: true, said: '' }, context.quote), from }
  const raw = error ?? 'it gives no reason'
  const said = context.quote(raw)
  const general = findServerError(server, raw, context.quote)
  if (general !== undefined) return { ...general, from }
  if (error === '')
    return {
      id: 'redis.answer',
      title: `${serverName(server)} does not answer AUTH as a Redis does`,
      from,
      fix: 'correct host and port in the credentials',
    }
  if (/called without any password configured|no password is set/i.test(raw)) return passwordUnneeded(planned)
  if (/NOAUTH|operation not permitted/i.test(raw))
    return password === undefined ? passwordMissing(service, from) : loginIgnored(planned, said)
  if (/wrong number of arguments for 'auth'/i.test(raw))
    return {
      id: 'auth.user',
      title: `the server has no users (${said}), but the credentials name one`,
      from: user?.from ?? service,
      fix: 'remove the user from the credentials; Redis before 6 has passwords only',
    }
  if (/WRONGPASS|invalid password|invalid username/i.test(raw)) return loginRejected(planned, said)
  if (/NOPERM/i.test(raw))
    return {
      id: 'redis.permission',
      title: `user ${user?.value ?? DEFAULT_USER} may not log in and send PING: ${said}`,
      from: user?.from ?? service,
      fix: `allow it: ACL SETUSER ${user?.value ?? DEFAULT_USER} +ping +@connection`,
    }
  return {
    id: 'auth.failed',
    title: `phpredis cannot use the connection: ${said}`,
    from,
    fix: 'look in the log of the server, and run php-sessions doctor --debug',
  }
}

function loginRejected({ endpoint: { user, password }, service }: PlannedStore, said: string): RefusedLogin {
  return {
    id: 'auth.rejected',
    title:
      user === undefined
        ? `the server rejects this password, or its user default is off: ${said}`
        : `the server rejects this password for user ${user.value}, or has no such user: ${said}`,
    from: password?.from ?? service,
    fix: `bind ${service} again, as its password may have changed, or correct the password ${user === undefined ? '(and add username, if the server has users) ' : ''}where it is written; then restart the app`,
  }
}

/** A server that has accepted the login and then asks for it again. */
function loginIgnored({ endpoint: { password }, service }: PlannedStore, said: string): RefusedLogin {
  return {
    id: 'auth.failed',
    title: `the server accepts the login, and then asks for one again: ${said}`,
    from: password?.from ?? service,
    fix: 'a proxy in front of the server may have its own login: put that into the credentials',
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
  const answers = reachServers(context)?.reached ?? []
  const isOver = servers.length < answers.length
  const failed = isOver ? servers.length : servers.findIndex(({ isStored }) => !isStored)
  // An earlier check has named each unavailable server of a pool.
  const server = answers[failed]
  if (failed === -1 || server === undefined || (answers.length > 1 && !isUsable(server))) return undefined
  if (isOver)
    return {
      ...describeBroken(server.server, { command: 'SET', isSilent: true, said: '' }, context.quote),
      from: server.server.from,
    }
  const { endpoint, service } = planned
  const { password } = endpoint
  const isPlain = server.answer.hasLogin === false
  const result = context.quote(servers[failed]?.result ?? '')
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
