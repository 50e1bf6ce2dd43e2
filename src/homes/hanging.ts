import type { Finding } from '../core/finding.ts'
import { DEFAULT_PHP, longestRequestSeconds } from '../core/php.ts'
import type { PhpFacts } from '../php/look-around.ts'
import type { Plan } from '../plan/plan.ts'

/**
 * Finds the pools of php-fpm that never end a request. Below PHP's own handlers a server that falls silent within an
 * answer holds its worker without end, and `max_execution_time` does not count the time that PHP waits.
 */
export function findHanging(
  { planned }: Pick<Plan, 'planned'>,
  facts: Pick<PhpFacts, 'pools' | 'maxExecutionSeconds'> | undefined,
): readonly Finding[] {
  if (planned === undefined || planned.handler === 'managed' || facts === undefined) return []
  const { pools, maxExecutionSeconds = DEFAULT_PHP.maxExecutionSeconds } = facts
  const seconds = longestRequestSeconds({ maxExecutionSeconds })
  return pools
    .filter(({ name, kind }) => name === 'listen' && kind === '')
    .filter(({ pool }) => !pools.some((line) => line.pool === pool && endsRequests(line)))
    .map(({ pool, from }) => ({
      id: 'php.hanging',
      level: 'warn',
      title: `the pool ${pool} of php-fpm never ends a request: while the store is silent within an answer, each visitor holds a worker`,
      from,
      fix: `write below [${pool}]: request_terminate_timeout = ${seconds}s`,
    }))
}

/** The value 0 is php-fpm's word for no limit. */
function endsRequests({ name, value }: PhpFacts['pools'][number]): boolean {
  return name === 'request_terminate_timeout' && Number.parseFloat(value) > 0
}
