import type { Finding } from '../core/finding.ts'
import type { Handler, Options } from '../core/options.ts'
import type { Php } from '../core/php.ts'
import type { Store } from '../stores/store.ts'

/**
 * Finds what a user has asked of the managed handler and does not get.
 *
 * Only warnings: the sessions are in the bound store all the same, and an app's settings outlive its bindings.
 */
export function handlerFindings(
  options: Options,
  { name, title }: Store,
  { runsManaged, obstacles }: Php,
  handler: Handler,
): readonly Finding[] {
  const { PHP_SESSIONS_HANDLER: wanted, PHP_SESSIONS_ON_STORE_ERROR: onStoreError } = options
  if (handler === 'managed') return []
  if (wanted === 'managed' && runsManaged && obstacles.length > 0) return obstacles
  if (wanted === 'managed')
    return [
      {
        id: 'handler.native',
        level: 'warn',
        title:
          name === 'redis'
            ? "the managed handler needs PHP 8.1 or later, and this PHP is older: PHP's own handler keeps the sessions"
            : `the managed handler is for Redis and Valkey only: PHP's own handler keeps the sessions in ${title}`,
        from: 'PHP_SESSIONS_HANDLER',
        fix:
          name === 'redis'
            ? 'choose PHP 8.1 or later, or remove PHP_SESSIONS_HANDLER'
            : 'bind a Redis or Valkey, or remove PHP_SESSIONS_HANDLER',
      },
    ]
  if (onStoreError === undefined) return []
  return [
    {
      id: 'handler.store-error',
      level: 'warn',
      title: `PHP_SESSIONS_ON_STORE_ERROR=${onStoreError} has no effect: PHP's own handler keeps the sessions, and it decides by itself`,
      from: 'PHP_SESSIONS_ON_STORE_ERROR',
      fix: 'also set PHP_SESSIONS_HANDLER=managed, or remove PHP_SESSIONS_ON_STORE_ERROR',
    },
  ]
}
