import type { Directive } from '../../core/formats/ini.ts'
import type { Options } from '../../core/options.ts'
import { longestRequestSeconds, longestWaitSeconds, type Php } from '../../core/php.ts'

/** How long a request waits for Redis, in seconds, with either handler. */
export const CONNECT_SECONDS = 2
export const READ_SECONDS = 3
const LOCK_POLL_MICROSECONDS = 5_000

/** How long the lock of a dead worker lives, and how long a request waits for its turn, in seconds. */
export function redisLockSeconds(
  options: Options,
  php: Php,
): { readonly life: number; readonly wait: number } {
  return { life: longestRequestSeconds(php), wait: longestWaitSeconds(php, options) }
}

/** The lock settings of phpredis' own handler, which polls, also while the store refuses it: then one try is enough. */
export function redisLockDirectives(options: Options, php: Php, isRefused: boolean): readonly Directive[] {
  if (!options.PHP_SESSIONS_LOCKING)
    return [
      {
        name: 'redis.session.locking_enabled',
        value: false,
        because: 'PHP_SESSIONS_LOCKING is off: parallel requests overwrite each other',
      },
    ]
  const { life, wait } = redisLockSeconds(options, php)
  return [
    {
      name: 'redis.session.locking_enabled',
      value: true,
      because: 'without a lock, parallel requests of one visitor overwrite each other',
    },
    {
      name: 'redis.session.lock_expire',
      value: life,
      because: `seconds, longer than a request may take (max_execution_time is ${php.maxExecutionSeconds}): the lock of a dead worker expires; with 0 it might never expire, and late writers would overwrite the session`,
    },
    {
      name: 'redis.session.lock_wait_time',
      value: LOCK_POLL_MICROSECONDS,
      because: 'microseconds between two tries',
    },
    isRefused
      ? {
          name: 'redis.session.lock_retries',
          value: 1,
          because:
            "PHP's own handler has no login here, and would hold a worker until the last try if something bypassed the managed handler",
        }
      : {
          name: 'redis.session.lock_retries',
          value: (wait * 1_000_000) / LOCK_POLL_MICROSECONDS,
          because: `a request waits up to ${wait} seconds for its turn; the extension's default of 10 or 100 tries loses updates`,
        },
  ]
}
