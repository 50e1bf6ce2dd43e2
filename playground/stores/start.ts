import { execFileSync } from 'node:child_process'
import type { Program, Unavailable } from '../../lab/processes/program.ts'
import { debian13Valkey } from '../../lab/redis/server.ts'
import { startCluster, startSentinelGroup } from './groups.ts'
import { startOneMemcached } from './memcached.ts'
import { startOneRedis } from './redis.ts'
import type { PlayStore, StoreKind, StoreOptions } from './store.ts'

const NO_VALKEY =
  'the program valkey-server is missing: package valkey-server of Debian 13 or Ubuntu 24.04 and later'
const NOTHING_GIVEN =
  'a lane on `given` needs VCAP_SERVICES in the environment: the bindings of your platform, as JSON'

/** Why a store cannot be used here; undefined if it can. */
export function whyNoStore(kind: StoreKind, given: string | undefined): string | undefined {
  if (kind === 'given') return given === undefined ? NOTHING_GIVEN : undefined
  if (kind !== 'valkey') return undefined
  return 'unavailable' in valkeyProgram() ? NO_VALKEY : undefined
}

/** Every kind of store, and how it starts. */
export const STORE_STARTS: Readonly<Record<StoreKind, (options: StoreOptions) => Promise<PlayStore>>> = {
  redis: (options) => startOneRedis('redis', options),
  valkey: async (options) => startOneRedis('valkey', options, findValkey()),
  memcached: startOneMemcached,
  cluster: startCluster,
  sentinel: startSentinelGroup,
  given: async ({ given }) => {
    if (given === undefined) throw new Error(NOTHING_GIVEN)
    return { kind: 'given', title: 'what VCAP_SERVICES binds', services: () => given, stop: async () => {} }
  },
}

/** The valkey-server of this machine, or the one that the checkout has unpacked. */
export function valkeyProgram(): Program | Unavailable {
  try {
    execFileSync('sh', ['-c', 'command -v valkey-server'], { stdio: 'ignore' })
    return (args, env = process.env) => ({ file: 'valkey-server', args, env })
  } catch {
    return debian13Valkey()
  }
}

function findValkey(): Program {
  const program = valkeyProgram()
  if ('unavailable' in program) throw new Error(NO_VALKEY)
  return program
}
