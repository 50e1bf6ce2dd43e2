import type { Sourced } from '../../core/binding.ts'
import type { Finding } from '../../core/finding.ts'
import type { Secret } from '../../core/secret.ts'
import type { PlannedStore } from '../../plan/plan.ts'
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
    const refused =
      planned.store.name === 'redis' ? askRedis(context, planned) : askMemcached(context, planned)
    return {
      title: `the server lets us in ${who}, ${password === undefined ? 'without a password' : 'with the password'}`,
      findings: refused === undefined ? [] : [{ level: 'error', ...refused }],
    }
  },
}

type Refused = Omit<Finding, 'level'>

function askRedis(context: Context, planned: PlannedStore): Refused | undefined {
  const { login: isIn, error } = context.ask('redis')
  if (isIn === true) return undefined
  const { endpoint, service } = planned
  const { user, password } = endpoint
  const said = error ?? 'nothing'
  if (/called without any password configured|no password is set/i.test(said)) return unneeded(password)
  if (/NOAUTH|operation not permitted/i.test(said)) return missing(service, endpoint.servers[0]?.from ?? '')
  if (/wrong number of arguments for 'auth'/i.test(said))
    return {
      id: 'auth.user',
      title: `this server knows no users (${said}), and the credentials have one`,
      from: user?.from ?? service,
      fix: 'take the user out of the credentials; Redis before 6 has passwords only',
    }
  if (/WRONGPASS|invalid password|invalid username/i.test(said)) return rejected(planned, said)
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

function rejected({ endpoint: { user, password }, service }: PlannedStore, said: string): Refused {
  return {
    id: 'auth.rejected',
    title: `the server takes neither user nor password for right: ${said}`.replace(
      'neither user nor password for right',
      user === undefined ? 'another password' : `another password for ${user.value}, or knows no such user`,
    ),
    from: password?.from ?? service,
    fix: `the password may have been changed: bind ${service} again, or correct it where it is written, then restart the app`,
  }
}

function missing(service: string, from: string): Refused {
  return {
    id: 'auth.missing',
    title: 'the server asks for a password, and the credentials have none',
    from,
    fix: `put password into the credentials of ${service} (and username, if the server has users)`,
  }
}

function unneeded(password: Sourced<Secret> | undefined): Refused {
  return {
    id: 'auth.unneeded',
    title:
      'the credentials have a password, and the server has none: it refuses the login, and PHP the session',
    from: password?.from ?? '',
    fix: 'take the password out of the credentials, or set it on the server (requirepass)',
  }
}

function askMemcached(context: Context, planned: PlannedStore): Refused | undefined {
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
  if (password !== undefined && isPlain) return unneeded(password)
  if (password === undefined && !isPlain) return missing(service, server.server.from)
  if (password !== undefined && hasPlugin === false)
    return {
      id: 'memcached.sasl-plugins',
      title: 'libsasl has no plugin for the mechanism PLAIN, with which php-memcached logs in',
      from: `SASL_PATH=${context.host.env.SASL_PATH ?? ''}, or the directory sasl2 beside the libraries`,
      fix: 'apt-get install libsasl2-modules',
    }
  if (password !== undefined) return rejected(planned, result)
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
