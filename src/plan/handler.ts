import type { Endpoint } from '../core/endpoint.ts'
import type { Finding } from '../core/finding.ts'
import type { Handler, Options } from '../core/options.ts'
import type { Php } from '../core/php.ts'
import type { Store } from '../stores/store.ts'

/**
 * Finds why the native handler was taken where the managed one is wanted, and settings that only the managed one knows.
 *
 * Only warnings: the sessions are in the bound store all the same, and an app's settings outlive its bindings.
 */
export function handlerFindings(
  options: Options,
  store: Store,
  endpoint: Endpoint,
  { runsManaged, obstacles }: Php,
  handler: Handler,
): readonly Finding[] {
  const {
    PHP_SESSIONS_HANDLER: wanted,
    PHP_SESSIONS_ON_STORE_ERROR: onStoreError,
    PHP_SESSIONS_FIRST_LIFETIME: firstLifetime,
  } = options
  if (handler === 'managed') return []
  const isWanted = store.wantsManaged(endpoint, options)
  if (isWanted && runsManaged && obstacles.length > 0) return obstacles
  const reason = store.managed.whyNot(endpoint)
  if (isWanted || wanted === 'managed')
    return [
      {
        id: 'handler.native',
        level: 'warn',
        title: `${reason ?? 'the managed handler needs PHP 8.1 or later, and this PHP is older'}: PHP's own handler keeps the sessions`,
        from: wanted === 'managed' ? 'PHP_SESSIONS_HANDLER' : endpoint.topology.from,
        fix:
          reason === undefined
            ? 'choose PHP 8.1 or later, or set PHP_SESSIONS_HANDLER=native'
            : `bind one ${store.title} server, or a Redis or Valkey; or remove PHP_SESSIONS_HANDLER`,
      },
    ]
  const first: readonly Finding[] =
    firstLifetime === 0
      ? []
      : [
          {
            id: 'handler.first-lifetime',
            level: 'warn',
            title: `PHP_SESSIONS_FIRST_LIFETIME=${firstLifetime} has no effect: PHP's own handler keeps the sessions, and a new one lives as long as any other`,
            from: 'PHP_SESSIONS_FIRST_LIFETIME',
            fix: 'also set PHP_SESSIONS_HANDLER=managed, or remove PHP_SESSIONS_FIRST_LIFETIME',
          },
        ]
  if (onStoreError === undefined) return first
  return [
    ...first,
    {
      id: 'handler.store-error',
      level: 'warn',
      title: `PHP_SESSIONS_ON_STORE_ERROR=${onStoreError} has no effect: PHP's own handler keeps the sessions and ignores it`,
      from: 'PHP_SESSIONS_ON_STORE_ERROR',
      fix: 'also set PHP_SESSIONS_HANDLER=managed, or remove PHP_SESSIONS_ON_STORE_ERROR',
    },
  ]
}
