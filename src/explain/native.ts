import type { Endpoint, StoreName } from '../core/endpoint.ts'

/** The session handler of an extension, for people who choose between it and the managed one. */
interface NativeHandler {
  readonly title: string
  /** What its locks cost. */
  costs(endpoint: Endpoint): readonly string[]
}

/** The handlers of the extensions. */
export const NATIVE_HANDLERS: Readonly<Record<StoreName, NativeHandler>> = {
  redis: {
    title: "phpredis' own",
    costs: ({ topology }) =>
      topology.value === 'cluster'
        ? ['no locks: parallel requests overwrite each other']
        : [
            'each session_reset() waits for the lock of its own request, 30 s by default',
            'phpredis 5.3 releases the lock before session_destroy() and session_regenerate_id(true) delete: a request that waits can write the old session back, which undoes a logout',
          ],
  },
  memcached: {
    title: "php-memcached's own",
    costs: () => ['a late request can overwrite a newer session with an older one, even with locks'],
  },
}
