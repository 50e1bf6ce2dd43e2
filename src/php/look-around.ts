import type { Address } from '../core/address.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { readsAsOn } from '../core/formats/php-ini.ts'
import type { Php } from '../core/php.ts'
import type { Host } from '../host/host.ts'
import { memcached } from '../stores/memcached/memcached.ts'
import { redis } from '../stores/redis/redis.ts'
import { fileOf, type PoolLine, type SettingLine } from './answers.ts'
import { type Answers, askPhp, type PhpStart, ProbeSilent, type Question } from './ask.ts'
import { readPools } from './web/pools.ts'

/** How long the Sentinels have to name a master, and each of them to answer, in seconds. */
export interface Patience {
  readonly all: number
  readonly each: number
}

/** The Sentinels are not asked, and nothing goes over the network. */
export const OFFLINE: Patience = { all: 0, each: 0 }

/** What a PHP reports, and the Sentinels' answers to it. */
export interface PhpFacts {
  /** Its PHP_VERSION_ID, e.g. 80236. */
  readonly versionId: number | undefined
  readonly hangsInTls13: boolean
  /** Which of `sodium`, `zstd`, `lz4` and `gzip` it supports. */
  readonly codecs: readonly string[] | undefined
  /** The last `max_execution_time` of its ini files, in seconds; undefined where none sets it. */
  readonly maxExecutionSeconds: number | undefined
  readonly phpredis: string | undefined
  readonly libmemcached?: string | undefined
  /** The php-fpm that was named, where its version is another one. */
  readonly otherFpm?: { readonly file: string; readonly version: string } | undefined
  /** The extensions for sessions that its ini files load. */
  readonly loaded: readonly string[]
  /** The installed ones. */
  readonly loadable: readonly string[]
  /** Those that lines of its scanned ini files name, in their order, whether PHP could load them or not. */
  readonly scanned: readonly string[]
  /** The settings of its ini files that decide whether the managed handler runs, in PHP's order. */
  readonly lines: readonly SettingLine[]
  /** What wins over its ini files: the `-d` of a script that is called php. */
  readonly definitions: readonly SettingLine[]
  /** The settings of php-fpm's pools, and those of php-fpm itself. */
  readonly pools: readonly PoolLine[]
  /** Whether settings of sessions cannot be changed at run time, because session.upload_progress.enabled is on. */
  readonly locksSettings: boolean
  /** Its `session.save_path` for files, where no ini file sets it. */
  readonly savePath?: string | undefined
  readonly master: Address | undefined
  /** Why each Sentinel named no master. */
  readonly failures: readonly string[]
}

/** The settings of PHP that decide whether the managed handler runs in the app's pages. */
export const DECISIVE_SETTINGS = [
  ...['auto_prepend_file', 'session.save_handler', 'session.upload_progress.enabled', 'session.auto_start'],
  ...['disable_functions', 'disable_classes', 'open_basedir'],
] as const

const UPLOADS = 'session.upload_progress.enabled'

export type DecisiveSetting = (typeof DECISIVE_SETTINGS)[number]

/** The time that PHP needs for everything but the Sentinels, even on a busy machine. */
const LOCAL_SECONDS = 3

/** Everything that decides where the pages of an app keep their sessions. */
export const KEEPING_SETTINGS = [...DECISIVE_SETTINGS, 'session.save_path']

/** The php-fpm that serves an app, as a target has it. */
export interface LookedAtFpm {
  /** Starts it: empty for none, undefined for that of the same version. */
  readonly fpm: readonly string[] | undefined
  /** Whether its ini files are known already. */
  readonly isKnown: boolean
}

/**
 * Asks a PHP what a plan depends on. PHP also asks the Sentinels of an endpoint for the master, unless `OFFLINE`.
 *
 * Gives the exit status alone where PHP gave no answer.
 */
export function lookAround(
  host: Host,
  start: PhpStart,
  { fpm, isKnown }: LookedAtFpm,
  endpoint: Endpoint | undefined,
  patience: Patience,
): PhpFacts | number {
  const sentinels = patience === OFFLINE || endpoint === undefined ? {} : sentinelQuestion(endpoint, patience)
  const question = { ...sentinels, fpm: isKnown ? [] : (fpm ?? null), names: isKnown ? [] : KEEPING_SETTINGS }
  const limit = patience === OFFLINE ? undefined : patience.all + LOCAL_SECONDS
  const ask = (more: readonly string[], asked: { readonly [name: string]: Question }) =>
    askPhp(
      host,
      { ...start, command: [...start.command, ...more] },
      'look-around',
      asked,
      () => undefined,
      limit,
    )
  try {
    const answer = askWithExtension(ask, question, endpoint)
    const lines = answer.lines ?? []
    const found = answer.fpm ?? undefined
    const pools = readPools(host, found?.command ?? fpm ?? [], found)
    // It may be on only for some pages, or in another PHP.
    const isTurnedOn = [...lines, ...pools].some(({ name, value }) => name === UPLOADS && readsAsOn(value))
    const asksAgain = isTurnedOn && answer.watchesUploads === false
    const { locksSettings } = asksAgain ? ask(['-d', `${UPLOADS}=1`], { fpm: [], names: [] }) : answer
    return {
      versionId: answer.versionId,
      hangsInTls13: answer.hangsInTls13 === true,
      codecs: answer.codecs,
      maxExecutionSeconds: answer.maxExecutionSeconds ?? undefined,
      phpredis: answer.phpredis ?? undefined,
      libmemcached: answer.libmemcached ?? undefined,
      otherFpm: fpm === undefined ? undefined : otherFpm(answer),
      loaded: answer.loaded ?? [],
      loadable: answer.loadable ?? [],
      scanned: answer.scanned ?? [],
      lines,
      definitions: Object.entries(answer.definitions ?? {}).map(([name, value]) => ({
        ...{ name, value },
        from: `-d ${name} in what starts PHP`,
      })),
      pools,
      locksSettings: locksSettings === true,
      savePath: answer.savePath ?? undefined,
      master: answer.master ?? undefined,
      failures: answer.failures ?? [],
    }
  } catch (error) {
    if (error instanceof ProbeSilent) return error.status
    throw error
  }
}

function otherFpm({ fpm }: AskedAnswer): PhpFacts['otherFpm'] {
  const [file] = fpm?.command ?? []
  const version = fpm?.otherVersion ?? undefined
  return file === undefined || version === undefined ? undefined : { file, version }
}

type AskedAnswer = Partial<Answers['look-around']>
type AskLookAround = (more: readonly string[], asked: { readonly [name: string]: Question }) => AskedAnswer

/**
 * A start loads the extension where no ini file does: phpredis asks the Sentinels, and its version decides about TLS; that of
 * php-memcached's library decides about a pool.
 */
function askWithExtension(
  ask: AskLookAround,
  question: Parameters<AskLookAround>[1],
  endpoint: Endpoint | undefined,
): AskedAnswer {
  const answer = ask([], question)
  const { unloaded = [] } = answer
  const isPool = endpoint?.topology.value === 'pool'
  const { name: needed, extensions } = isPool ? memcached : redis
  const isNeeded = isPool || endpoint?.sentinel !== undefined || endpoint?.tls.value === true
  if (!isNeeded || !unloaded.includes(needed)) return answer
  const missing = extensions.filter((name) => unloaded.includes(name))
  const {
    phpredis: version = null,
    libmemcached = null,
    master = null,
    failures = [],
  } = ask(
    missing.flatMap((name) => ['-d', `extension=${name}`]),
    { ...question, fpm: [], names: [] },
  )
  return isPool ? { ...answer, libmemcached } : { ...answer, phpredis: version, master, failures }
}

/** As PHP_VERSION_ID has it. */
const PHP_8_1 = 80100

/** What is known about a PHP, with its own report; `isReadLater` is about ini files, as in `TargetPhp`. */
export function learn(known: Php, facts: PhpFacts, isReadLater: (path: string) => boolean): Php {
  const { versionId, hangsInTls13, codecs, maxExecutionSeconds, phpredis, libmemcached, lines } = facts
  const lastOf = (wanted: string) =>
    lines.findLast((line) => line.name === wanted && !isReadLater(fileOf(line)))
  const savePath = lastOf('session.save_path') ?? known.savePath
  const byDefault = facts.savePath === undefined ? {} : { savePath: { value: facts.savePath, from: 'PHP' } }
  return {
    ...known,
    maxExecutionSeconds: maxExecutionSeconds ?? known.maxExecutionSeconds,
    phpredis,
    ...(libmemcached === undefined ? {} : { libmemcached }),
    prependFile: lastOf('auto_prepend_file') ?? known.prependFile,
    ...(savePath === undefined ? byDefault : { savePath }),
    runsManaged: versionId === undefined ? known.runsManaged : versionId >= PHP_8_1,
    hangsInTls13,
    codecs,
  }
}

/** Has the passwords, for PHP's stdin. */
function sentinelQuestion(endpoint: Endpoint, patience: Patience): { readonly [name: string]: Question } {
  const { sentinel, servers, ca, clientCertificate } = endpoint
  if (sentinel === undefined) return {}
  return {
    limitSeconds: patience.all,
    timeoutSeconds: patience.each,
    sentinels: servers.map(({ value: { host, port } }) => ({ host, port })),
    masterName: sentinel.masterName.value,
    sentinelLogin: loginQuestion(sentinel),
    serverLogin: loginQuestion(endpoint),
    ca: ca?.value ?? null,
    clientCertificate: clientCertificate?.value ?? null,
  }
}

function loginQuestion({ tls, user, password }: Pick<Endpoint, 'tls' | 'user' | 'password'>): Question {
  return { tls: tls.value, user: user?.value ?? null, password: password?.value ?? null }
}
