import type { Finding } from '../core/finding.ts'
import { longestRequestSeconds } from '../core/php.ts'
import type { PoolLine } from '../php/answers.ts'
import type { CompletePlan } from '../php/complete.ts'

/**
 * Finds the pools of php-fpm that never end a request. With PHP's own handlers a server that falls silent within an
 * answer holds its worker for ever, because `max_execution_time` does not count the time that PHP waits.
 */
export function findHanging({ plan: { planned }, target, pools }: CompletePlan): readonly Finding[] {
  if (planned === undefined || planned.handler === 'managed') return []
  const seconds = longestRequestSeconds(target)
  return pools
    .filter(({ name, kind }) => name === 'listen' && kind === '')
    .filter(({ pool }) => !pools.some((line) => line.pool === pool && endsRequests(line)))
    .map(({ pool, from }) => ({
      id: 'php.hanging',
      level: 'warn',
      title: `the pool ${pool} of php-fpm never ends a request: if the store stops within an answer, each visitor holds a worker`,
      from,
      fix: `write below [${pool}]: request_terminate_timeout = ${seconds}s`,
    }))
}

/** For php-fpm, 0 means no limit. */
function endsRequests({ name, value }: PoolLine): boolean {
  return name === 'request_terminate_timeout' && Number.parseFloat(value) > 0
}

/** Says it in one line, for a start, because most php-fpm have no limit by default. */
export function renderHanging([first]: readonly Finding[]): string {
  if (first === undefined) return ''
  return `php-sessions: php-fpm never ends a request that hangs; for the fix run php-sessions doctor php.time-limit  (${first.id})\n`
}
