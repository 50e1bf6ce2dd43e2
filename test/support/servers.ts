import type { AccessOptions } from '../../lab/redis/options.ts'
import { debian13Valkey } from '../../lab/redis/server.ts'

const valkey = debian13Valkey()

/** Why Valkey is not among `SERVERS`; undefined if it is. */
export const valkeyUnavailable = 'unavailable' in valkey ? valkey.unavailable : undefined

/** The programs on this machine that speak Redis' protocol, as options of the lab. */
export const SERVERS: readonly (readonly [name: string, which: Pick<AccessOptions, 'program'>])[] = [
  ['Redis', {}],
  ...('unavailable' in valkey ? [] : [['Valkey', { program: valkey }] as const]),
]
