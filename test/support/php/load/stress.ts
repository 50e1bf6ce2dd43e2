import { chmodSync, closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished } from 'vitest'
import { type Service, vcapServices } from '../../../../lab/bindings.ts'
import type { Fpm } from '../../../../lab/php/fpm.ts'
import { makeScratch } from '../../../../lab/processes/scratch.ts'
import { until } from '../../../../lab/processes/until.ts'
import type { Redis } from '../../../../lab/redis/options.ts'
import { type Container, container, loadOn, startFpmIn } from '../../homes/container.ts'
import type { PhpUnderTest } from '../php.ts'
import { type LoadReport, PAGES } from './visitors.ts'

/**
 * By docs/internals/managed-handler-protocol.md: 8 s for a new master, 2 s to connect, 3 s for an answer, and 5 s for a
 * lock of the old master.
 */
const LONGEST_MILLISECONDS = 18_000
const UNAVAILABLE = /^Service temporarily unavailable/m

export interface StressPlace {
  readonly bound: Container
  readonly fpm: Fpm
  readonly load: ReturnType<typeof loadOn>
  /** The id of the session that several visitors share. */
  readonly shared: string
  /** Says that the server has forgotten all sessions, so that visitors may start over, and what came before does not count. */
  forgotten(): void
}

interface Replicated {
  readonly servers: readonly Redis[]
  ownerOf(session: string): Redis
}

export interface Stress {
  /** Names the test in the printed line. */
  readonly name: string
  readonly php: PhpUnderTest
  /** Those of a Redis. */
  readonly credentials?: Service['credentials']
  /** Another service than a Redis. */
  readonly service?: Service
  /** How many visitors have a session of their own, and how many have one in common. */
  readonly visitors?: { readonly alone: number; readonly together: number }
  /** Where one server may replace another: all servers, which `keep` their data, and the owner of a session. */
  readonly replicated?: Replicated
  /** Called before the first request. */
  readonly prepare?: (bound: Container) => void
  /** Whether the test itself cuts requests off. */
  readonly cuts?: boolean
  /** Handlers of several php-fpm, which the visitors use in turn; the managed one alone when absent. */
  readonly handlers?: readonly ('managed' | 'native')[]
}

/**
 * Lets visitors ask php-fpm, some alone and several with one session, while something happens, and for a second more.
 *
 * Checks what must hold whatever happens: nobody sees the session of another, a request that fails gets status 503,
 * each session can be read in the end, and the acknowledged updates are in it, unless the store itself has lost them.
 * Gives the causes of the failures.
 */
export async function stress(
  {
    name,
    php,
    credentials = {},
    service = { name: 'redis-sessions', credentials },
    visitors: { alone, together } = { alone: 6, together: 8 },
    replicated,
    prepare,
    cuts = false,
    handlers = ['managed'],
  }: Stress,
  happen: (place: StressPlace) => Promise<unknown>,
): Promise<readonly string[]> {
  const ini = makeScratch('ini')
  const extensions = php.loadExtensions('igbinary', 'msgpack', 'redis', 'memcached')
  writeFileSync(join(ini, 'extensions.ini'), `zend_extension=opcache\n${extensions}`)
  const startWith = async (handler: string) => {
    const env = { PHP_INI_SCAN_DIR: ini, VCAP_SERVICES: vcapServices(service), PHP_SESSIONS_HANDLER: handler }
    const bound = container(env)
    const log = join(bound.directory, 'tmp/php.log')
    writeFileSync(log, '')
    chmodSync(log, 0o666)
    const pool = { workers: alone + together, lines: [`php_admin_value[error_log] = ${log}`] }
    return { bound, log, fpm: await startFpmIn(bound, { php: php.php, pool, pages: PAGES }) }
  }
  const places = await Promise.all(handlers.map(startWith))
  const { bound, log, fpm } = places[0] as (typeof places)[number]
  prepare?.(bound)
  const load = loadOn(
    places.map((place) => place.fpm),
    alone,
    together,
  )
  await until('all visitors to have a session', () => load.sessions().every((id) => id !== ''))
  await sleep(500)
  const written = watchWritten(replicated?.servers ?? [])
  onTestFinished(() => void load.stop())
  let since = 0
  const forgotten = () => {
    since = Date.now()
  }
  await happen({ bound, fpm, load, shared: load.sessions().at(-1) ?? '', forgotten })
  await sleep(1_000)
  const story = await load.stop()

  const { requests, failed, longestMilliseconds } = story
  const startsOver = since > 0 || handlers.includes('native')
  // What a visitor has in a session that is not the visitor's any more is not looked for.
  const lost = story.lost.filter(({ asked, id, session }) => !startsOver || (asked > since && id === session))
  const lostByStore = replicated === undefined ? 0 : written.countLeftBehind(lost, replicated.ownerOf)
  written.close()
  const broken = failed.map(({ got }) => got).filter((got) => !UNAVAILABLE.test(got))
  console.log(
    `${php.php.name}: ${name}: ${requests} requests, ${failed.length - broken.length} refused, ${broken.length} broken, ` +
      `${lost.length - lostByStore} lost by the handler, ${lostByStore} by the store, ${story.startedOver} times anew, longest ${longestMilliseconds} ms`,
  )
  expect(fpm.log()).not.toMatch(/exited on signal (6|11)/)
  if (!cuts) expect(broken.slice(0, 5)).toEqual([])
  expect(story).toMatchObject({ strangers: 0, stuck: 0, ...(startsOver ? {} : { startedOver: 0 }) })
  expect(lost.length - lostByStore).toBe(0)
  expect(longestMilliseconds).toBeLessThan(LONGEST_MILLISECONDS)
  const causes = /php-sessions: the session store cannot be used: (.*)/g
  return [...readFileSync(log, 'utf8').matchAll(causes)].map(([, cause = '']) => cause)
}

/** Keeps the files open in which servers have kept each change: a server that becomes a replica starts a new file. */
function watchWritten(servers: readonly Redis[]) {
  const held = servers.map(openFiles)
  return {
    /** How many words some server has written that the present owner of the session has never got. */
    countLeftBehind: (lost: LoadReport['lost'], ownerOf: Replicated['ownerOf']) => {
      if (lost.length === 0) return 0
      const now = servers.map(openFiles)
      const words = servers.map((_, index) => wordsIn([...(held[index] ?? []), ...(now[index] ?? [])]))
      now.flat().forEach(closeSync)
      const owners = new Map(lost.map(({ session }) => [session, -1]))
      for (const session of owners.keys()) owners.set(session, servers.indexOf(ownerOf(session)))
      return lost.filter(
        ({ session, word }) =>
          words.some((own) => own.has(word)) && !words[owners.get(session) ?? -1]?.has(word),
      ).length
    },
    close: () => held.flat().forEach(closeSync),
  }
}

/** The words that were the last of a session when it was written; so each word is found once. */
function wordsIn(files: readonly number[]): ReadonlySet<string> {
  const words = new Set<string>()
  for (const text of files.map((file) => readFileSync(file, 'latin1')))
    for (let at = text.indexOf(' ";'); at !== -1; at = text.indexOf(' ";', at + 1))
      words.add(text.slice(at - 6, at))
  return words
}

/** Opens the files with the data; their folder depends on the server's version. */
function openFiles({ directory }: Redis): number[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(aof|rdb)$/.test(entry.name))
    .map((entry) => openSync(join(entry.parentPath, entry.name), 'r'))
}
