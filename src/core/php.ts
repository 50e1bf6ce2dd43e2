import type { Sourced } from './binding.ts'
import type { Finding } from './finding.ts'
import type { Options } from './options.ts'

/** What is known about the PHP that will read the ini. */
export interface Php {
  readonly major: number
  /** `max_execution_time` in seconds; 0 means no limit. */
  readonly maxExecutionSeconds: number
  /** The version of the extension redis, e.g. `5.3.7`; undefined where nobody has asked this PHP. */
  readonly phpredis: string | undefined
  /** The version of the library of php-memcached, e.g. `1.0.18`; absent where nobody has asked this PHP. */
  readonly libmemcached?: string
  /** The `auto_prepend_file` that its ini files before ours give it, an app's own; empty and `none` are no file. */
  readonly prependFile: Sourced<string> | undefined
  /** The `session.save_path` for files without php-sessions; absent where nobody has asked this PHP, or it has none. */
  readonly savePath?: Sourced<string>
  /** Whether it is new enough for the managed handler: 8.1 and later are. */
  readonly runsManaged: boolean
  /** Why the managed handler, although wanted, would not run in the app's pages; empty if it would. */
  readonly obstacles: readonly Finding[]
  /** Whether it waits for ever if TLS 1.3 sends its tickets before the first answer (php-src GH-10495). */
  readonly hangsInTls13: boolean
  /** Which of `sodium`, `zstd`, `lz4` and `gzip` it supports; undefined if nobody has asked this PHP. */
  readonly codecs: readonly string[] | undefined
}

/** The program that is asked where nothing names another PHP. */
export const DEFAULT_COMMAND = 'php'

/** PHP's defaults: assumed if no PHP can be examined, as during staging. */
export const DEFAULT_PHP: Php = {
  major: 8,
  maxExecutionSeconds: 30,
  phpredis: undefined,
  prependFile: undefined,
  runsManaged: true,
  obstacles: [],
  hangsInTls13: false,
  codecs: undefined,
}

/**
 * Whether phpredis is at least of a version such as `6.1`; undefined where its version is not known.
 */
export function isPhpredisAtLeast({ phpredis }: Pick<Php, 'phpredis'>, version: string): boolean | undefined {
  if (phpredis === undefined) return undefined
  const [major = 0, minor = 0] = phpredis.split('.').map(Number)
  const [wantedMajor = 0, wantedMinor = 0] = version.split('.').map(Number)
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
}

/**
 * The longest that a request of this PHP is expected to take, in seconds of real time.
 *
 * `max_execution_time` does not count the time PHP spends waiting for others, hence twice as long, and at least a
 * minute. Without a limit it is the 900 seconds after which Cloud Foundry's router gives up.
 */
export function longestRequestSeconds({ maxExecutionSeconds }: Pick<Php, 'maxExecutionSeconds'>): number {
  return maxExecutionSeconds === 0 ? 900 : Math.max(60, 2 * maxExecutionSeconds)
}

/** How long a request waits for its turn, in seconds, where the user has not said: half of what a lock lives. */
export function longestWaitSeconds(
  php: Pick<Php, 'maxExecutionSeconds'>,
  { PHP_SESSIONS_MAX_WAIT }: Pick<Options, 'PHP_SESSIONS_MAX_WAIT'>,
): number {
  return PHP_SESSIONS_MAX_WAIT ?? longestRequestSeconds(php) / 2
}
