import { debian13Php, type InstalledPhp, machinePhp } from '../lab/php/installed.ts'
import type { Unavailable } from '../lab/processes/program.ts'
import { debian13Valkey } from '../lab/redis/server.ts'
import { type Benchmark, NotHere } from './benchmark.ts'
import { copying } from './measures/copy.ts'
import { encryption } from './measures/encryption.ts'
import { eviction } from './measures/eviction.ts'
import { memcachedFaults, redisFaults } from './measures/faults.ts'
import { handlers } from './measures/handlers.ts'
import { instructions } from './measures/instructions.ts'
import { pool } from './measures/pool.ts'
import { services } from './measures/services.ts'
import { sizes } from './measures/sizes.ts'
import { start } from './measures/start.ts'
import { cluster, oneMemcached, oneServer } from './parts/setups.ts'

/** A benchmark of scripts/bench, and the minutes that it takes on a quiet machine with two cores. */
export interface Entry {
  readonly run: Benchmark
  readonly minutes: number
  /** Absent where `--quick` leaves it out. */
  readonly quickMinutes?: number
}

function available<Thing extends object>(thing: Thing | Unavailable): Thing {
  if ('unavailable' in thing) throw new NotHere(thing.unavailable)
  return thing
}

const other = (): InstalledPhp => available(debian13Php())
const valkey = () => available(debian13Valkey())
const php = machinePhp

/** By name, in the order in which they run. */
export const BENCHMARKS: Readonly<Record<string, Entry>> = {
  start: { run: start, minutes: 1, quickMinutes: 0.4 },
  services: { run: services, minutes: 1, quickMinutes: 0.4 },
  redis: { run: handlers({ php, setup: () => oneServer(0) }), minutes: 7, quickMinutes: 1.5 },
  'redis-1ms': {
    run: handlers({ php, setup: () => oneServer(1), isFar: true }),
    minutes: 8,
    quickMinutes: 0.7,
  },
  'redis-5ms': {
    run: handlers({ php, setup: () => oneServer(5), isFar: true }),
    minutes: 15,
    quickMinutes: 1.2,
  },
  cluster: { run: handlers({ php, setup: () => cluster() }), minutes: 5, quickMinutes: 1.2 },
  memcached: { run: handlers({ php, setup: () => oneMemcached(0) }), minutes: 5, quickMinutes: 1.2 },
  'memcached-1ms': {
    run: handlers({ php, setup: () => oneMemcached(1), isFar: true }),
    minutes: 5,
    quickMinutes: 0.5,
  },
  'redis-php8.4': { run: handlers({ php: other, setup: () => oneServer(0) }), minutes: 7 },
  'cluster-php8.4': { run: handlers({ php: other, setup: () => cluster() }), minutes: 5 },
  'memcached-php8.4': { run: handlers({ php: other, setup: () => oneMemcached(0) }), minutes: 5 },
  valkey: { run: handlers({ php, setup: () => oneServer(0, valkey()) }), minutes: 7 },
  'cluster-valkey': { run: handlers({ php, setup: () => cluster(valkey()) }), minutes: 5 },
  sizes: { run: sizes, minutes: 2, quickMinutes: 0.5 },
  faults: { run: redisFaults, minutes: 17, quickMinutes: 2 },
  'faults-memcached': { run: memcachedFaults, minutes: 12, quickMinutes: 2 },
  pool: { run: pool, minutes: 8 },
  eviction: { run: eviction, minutes: 2 },
  copy: { run: copying, minutes: 5, quickMinutes: 1.3 },
  encryption: { run: encryption(php, ['', 'gzip']), minutes: 1, quickMinutes: 0.3 },
  'encryption-php8.4': { run: encryption(other, ['', 'gzip', 'lz4', 'zstd']), minutes: 2 },
  instructions: { run: instructions, minutes: 2, quickMinutes: 1 },
}
