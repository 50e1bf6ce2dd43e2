import type { JsonObject } from '../core/binding.ts'
import type { StoreName } from '../core/endpoint.ts'
import type { Finding } from '../core/finding.ts'
import { makeMask } from '../core/mask.ts'
import { askProgram, type Log, ProbeSilent, type Question } from '../php/ask.ts'
import type { ChosenStore } from '../plan/plan.ts'
import { formatPlace } from '../plan/report.ts'
import { COMMON_CLIENT, withoutHead } from '../stores/handler/join.ts'
import lifetime from '../stores/handler/lifetime.php'
import lockedSession from '../stores/handler/locked-session.php'
import filesSession from '../stores/handler/moving/files-session.php'
import sessionFiles from '../stores/handler/moving/session-files.php'
import holder from '../stores/handler/waiting/holder.php'
import pool from '../stores/handler/waiting/pool.php'
import wait from '../stores/handler/waiting/wait.php'
import memcachedSession from '../stores/memcached/handler/memcached-session.php'
import { memcached } from '../stores/memcached/memcached.ts'
import redisSession from '../stores/redis/handler/redis-session.php'
import { redis } from '../stores/redis/redis.ts'
import { type AppSessions, secretsIn, silent } from './app-sessions.ts'
import { filesQuestion } from './local-files.ts'
import progress from './programs/progress.php'
import start from './programs/start.php'
import filesSessionStore from './programs/stores/files-session-store.php'
import memcachedSessionStore from './programs/stores/memcached-session-store.php'
import redisServers from './programs/stores/redis-servers.php'
import redisSessionStore from './programs/stores/redis-session-store.php'
import sessionStore from './programs/stores/session-store.php'

/** A program may work on millions of sessions; Ctrl-C ends it. */
const LIMIT_SECONDS = 86_400

/** PHP code that works on sessions: see programs/start.php and programs/session-store.php. */
export interface SessionProgram {
  /** Its name, that of its last file. */
  readonly name: string
  readonly files: readonly string[]
  /** Whether it locks sessions as the managed handler does. */
  readonly isLocking?: boolean
}

/** A store as a program gets it: PHP opens it with `openStore('NAME')`. */
export interface StoreQuestion {
  readonly [name: string]: Question
  readonly kind: StoreName | 'files'
}

/** How a program reaches the store that keeps the sessions of an app. */
export function storeQuestionOf(sessions: AppSessions): StoreQuestion {
  const { planned } = sessions.prepared.plan
  if (planned === undefined) return filesQuestion(sessions)
  return boundStoreQuestion(planned, sessions.surroundings, planned.handler === 'managed')
}

/** The same for any store. */
export function boundStoreQuestion(
  { store, endpoint }: Pick<ChosenStore, 'store' | 'endpoint'>,
  surroundings: AppSessions['surroundings'],
  isManaged: boolean,
): StoreQuestion {
  return { kind: store.name, settings: store.client.settings(endpoint, surroundings), isManaged }
}

/**
 * Runs a program in the PHP of the app. `stores` are those that it opens, by name; one that it is not given is `main`, the
 * app's own. Gives its answer, or why there is none.
 */
export function askSessions(
  sessions: AppSessions,
  { name, files, isLocking = false }: SessionProgram,
  question: { readonly [name: string]: Question },
  log: Log,
  asked: { readonly [name: string]: StoreQuestion } = { main: storeQuestionOf(sessions) },
): JsonObject | Finding {
  const { host } = sessions
  const program = {
    name,
    source: `src/sessions/programs/${name}.php`,
    code: joinProgram(files, Object.values(asked), isLocking),
    // The data of sessions are not to be trusted.
    overrides: ['session.upload_progress.enabled=0', 'memory_limit=512M'],
    limitSeconds: LIMIT_SECONDS,
    keepsStderr: true,
  }
  try {
    const answer = askProgram(host, sessions.start, program, { ...question, stores: asked }, log)
    return typeof answer.failed === 'string' ? failed(sessions, answer.failed) : answer
  } catch (error) {
    if (error instanceof ProbeSilent) return silent(error)
    throw error
  }
}

/** Whether a program has given no answer. */
export function isFinding(answer: object): answer is Finding {
  return 'id' in answer && 'fix' in answer
}

/** What the programs need for each kind of store. */
const STORE_FILES: Readonly<Record<StoreQuestion['kind'], readonly string[]>> = {
  redis: [...redis.client.files, redisServers, redisSessionStore],
  memcached: [...memcached.client.files, memcachedSessionStore],
  files: [sessionFiles, filesSessionStore],
}

/** And those that lock sessions there. */
const LOCKING_FILES: Readonly<Record<StoreQuestion['kind'], string>> = {
  redis: redisSession,
  memcached: memcachedSession,
  files: filesSession,
}

/** One PHP program of these files, with the clients of these stores: it is one argument, which has at most 128 KB. */
function joinProgram(files: readonly string[], asked: readonly StoreQuestion[], isLocking: boolean): string {
  const kinds = asked.map(({ kind }) => kind)
  const clients = kinds.flatMap((kind) => STORE_FILES[kind])
  const locking = kinds.map((kind) => LOCKING_FILES[kind])
  const locks = isLocking ? [lockedSession, lifetime, holder, wait, pool, ...locking] : []
  const all = [...COMMON_CLIENT, start, sessionStore, ...clients, ...locks, progress, ...files]
  return `namespace PhpSessions;\n\n${[...new Set(all)].map(withoutHead).join('\n')}`
}

function failed(sessions: AppSessions, why: string): Finding {
  const { planned } = sessions.prepared.plan
  return {
    id: 'sessions.store',
    level: 'error',
    title: `the sessions cannot be read or changed: ${makeMask(secretsIn(sessions))(why)}`,
    from:
      planned === undefined
        ? 'local files'
        : `${planned.store.title} service ${planned.service} (${formatPlace(planned)})`,
    fix:
      planned === undefined
        ? "run this as the user of the app's PHP, or as root"
        : 'run php-sessions doctor, which names the cause',
  }
}
