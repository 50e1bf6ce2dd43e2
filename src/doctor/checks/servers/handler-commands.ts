import { DEFAULT_USER } from '../../../core/endpoint.ts'
import type { Finding } from '../../../core/finding.ts'
import { joinWords } from '../../../core/text.ts'
import type { RedisAnswer } from '../../../php/answers.ts'
import type { PlannedStore } from '../../../plan/plan.ts'
import { redisKeyPatterns } from '../../../stores/redis/keys.ts'
import type { Context } from '../../check.ts'
import { serverName } from '../../server-name.ts'
import { type RedisFound, redisCheck } from './redis-server.ts'
import { describeBroken, findServerError } from './server-errors.ts'

/** Whether the server accepts every command that the session handler sends. */
export const allowedCommands = redisCheck(
  {
    id: 'redis.commands',
    meaning: 'does the server accept every command that sessions need?',
    needs: ['redis.role', 'redis.select'],
  },
  (_, { handler }) => `the server accepts every command of the ${handler} handler`,
  (answer, planned, context) => {
    const { endpoint, handler, service } = planned
    const server = planned.servers[0]
    const { commands: refused } = answer
    if (refused === undefined) return { level: 'error', ...findUnanswered(answer, planned, context) }
    const [first] = refused
    if (first === undefined) return undefined
    const denied = refused.filter(
      ({ error }) => error.includes('NOPERM') || /can't run this command/.test(error),
    )
    if (denied.length > 0) {
      const keys = redisKeyPatterns(endpoint, handler, context.options)
      return findDenied(denied, endpoint.user?.value ?? DEFAULT_USER, keys, context.quote)
    }
    const general = refused.map(({ error }) => findServerError(server, error, context.quote))
    const found = general.find((finding) => finding !== undefined)
    if (found !== undefined) return { level: 'error', ...found }
    const said = context.quote(first.error)
    if (refused.some(({ error }) => /\bOOM\b|out of memory/i.test(error)))
      return {
        id: 'redis.full',
        level: 'error',
        title: `the memory of the server is full, and it accepts no more sessions: ${said}`,
        fix: `use a larger plan for ${service}, an instance for sessions only, or a shorter PHP_SESSIONS_LIFETIME`,
      }
    if (refused.some(({ command, error }) => command.startsWith('EVAL') && isUnknownCommand(error)))
      return noScripts(planned, said)
    return first.answer === undefined
      ? {
          id: 'redis.refused',
          level: 'error',
          title: `the server refuses ${first.command}: ${said}`,
          fix: 'look in the log of the server',
        }
      : {
          id: 'redis.answer',
          level: 'error',
          title: `${serverName(server)} answers ${context.quote(first.answer)} to ${first.command}, which a Redis would not answer`,
          fix: 'correct host and port in the credentials; a proxy that sends reads and writes to different servers cannot keep sessions',
        }
  },
)

function isUnknownCommand(error: string): boolean {
  return /unknown command|unsupported command|not supported|disabled/i.test(error)
}

/** Both handlers release a lock by a script; the managed one does everything by scripts. */
function noScripts({ handler }: PlannedStore, said: string): RedisFound {
  return {
    id: 'redis.no-scripts',
    level: 'error',
    title: `the server runs no scripts, which the ${handler} handler needs ${handler === 'managed' ? 'for everything' : 'to release its locks'}: ${said}`,
    fix:
      handler === 'managed'
        ? 'allow EVAL and EVALSHA on the server (rename-command), or remove PHP_SESSIONS_HANDLER'
        : 'allow EVAL and EVALSHA on the server (rename-command), or set PHP_SESSIONS_LOCKING=off: requests of one visitor then overwrite each other',
  }
}

/** The probe did not finish all commands. */
function findUnanswered(
  { broken, error, sending }: Partial<RedisAnswer>,
  { servers: [server] }: PlannedStore,
  { quote }: Context,
): Omit<Finding, 'from' | 'level'> {
  if (broken !== undefined) return describeBroken(server, broken, quote)
  const stopped = { command: sending ?? 'the first command', isSilent: true, said: '' }
  if (typeof error !== 'string') return describeBroken(server, stopped, quote)
  return (
    findServerError(server, error, quote) ?? {
      id: 'auth.failed',
      title: `phpredis cannot use the connection: ${quote(error)}`,
      fix: 'look in the log of the server, and run php-sessions doctor --debug',
    }
  )
}

function findDenied(
  denied: RedisAnswer['commands'],
  user: string,
  keys: readonly string[],
  quote: (said: string) => string,
): RedisFound {
  const isKey = denied.every(({ error }) => /key/i.test(error))
  const names = [...new Set(denied.map(({ command }) => command))]
  const said = quote(denied[0]?.error ?? '')
  // A script releases the lock; the commands in it need the same permission as when they are sent alone.
  const rights = names.map((name) => `+${name.toLowerCase()}`).join(' ')
  return {
    id: 'redis.permission',
    level: 'error',
    title: isKey
      ? `user ${user} may not access the keys of sessions: ${said}`
      : `user ${user} may not send ${joinWords(names, 'and')}: ${said}`,
    fix: isKey
      ? `allow the keys: ACL SETUSER ${user} ${keys.join(' ')}, or set PHP_SESSIONS_PREFIX to a prefix that is allowed`
      : `allow it: ACL SETUSER ${user} ${rights}`,
  }
}
