import type { AccessOptions } from '../../lab/redis/options.ts'
import { debian13Valkey } from '../../lab/redis/server.ts'

const valkey = debian13Valkey()

/** Why Valkey is not among `SERVERS` beside the machine's Redis, if it is not. */
export const valkeyUnavailable = 'unavailable' in valkey ? valkey.unavailable : undefined

/** The programs that run here and speak Redis' protocol, as the lab is told them. */
export const SERVERS: readonly (readonly [name: string, which: Pick<AccessOptions, 'program'>])[] = [
  ['Redis', {}],
  ...('unavailable' in valkey ? [] : [['Valkey', { program: valkey }] as const]),
]
