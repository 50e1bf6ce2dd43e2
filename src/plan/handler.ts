import type { Finding } from '../core/finding.ts'
import type { Handler, Options } from '../core/options.ts'
import type { Store } from '../stores/store.ts'

/**
 * What a user has asked of the managed handler and does not get.
 *
 * Warnings: the sessions are in the bound store all the same, and an app's settings outlive its bindings.
 */
export function handlerFindings(
  options: Options,
  { name, title }: Store,
  handler: Handler,
): readonly Finding[] {
  const { PHP_SESSIONS_HANDLER: wanted, PHP_SESSIONS_ON_STORE_ERROR: onStoreError } = options
  if (handler === 'managed') return []
  if (wanted === 'managed')
    return [
      {
        id: 'handler.native',
        level: 'warn',
        title:
          name === 'redis'
            ? "this PHP is older than 8.1, which the managed handler needs: PHP's own goes on"
            : `the managed handler is for Redis and Valkey: PHP's own keeps the sessions in ${title}`,
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
      title: `PHP_SESSIONS_ON_STORE_ERROR=${onStoreError} does nothing: PHP's own handler, which keeps the sessions, decides that by itself`,
      from: 'PHP_SESSIONS_ON_STORE_ERROR',
      fix: 'set PHP_SESSIONS_HANDLER=managed, too, or remove it',
    },
  ]
}
