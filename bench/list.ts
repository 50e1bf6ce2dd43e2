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
import { playground } from './measures/playground.ts'
import { pool } from './measures/pool.ts'
import { scale } from './measures/scale.ts'
import { services } from './measures/services.ts'
import { sizes } from './measures/sizes.ts'
import { start } from './measures/start.ts'
import { cluster, oneMemcached, oneServer } from './parts/setups.ts'

/** A benchmark of scripts/bench, and the minutes that it takes on a quiet machine with two cores. */
interface Entry {
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
  start: { run: start, minutes: 1.1, quickMinutes: 0.6 },
  services: { run: services, minutes: 0.5, quickMinutes: 0.8 },
  redis: { run: handlers({ php, setup: () => oneServer(0) }), minutes: 3, quickMinutes: 1.6 },
  'redis-1ms': {
    run: handlers({ php, setup: () => oneServer(1), isFar: true }),
    minutes: 3,
    quickMinutes: 0.6,
  },
  'redis-5ms': {
    run: handlers({ php, setup: () => oneServer(5), isFar: true }),
    minutes: 6.5,
    quickMinutes: 0.7,
  },
  cluster: { run: handlers({ php, setup: () => cluster() }), minutes: 2.7, quickMinutes: 1 },
  memcached: { run: handlers({ php, setup: () => oneMemcached(0) }), minutes: 5.3, quickMinutes: 1.5 },
  'memcached-1ms': {
    run: handlers({ php, setup: () => oneMemcached(1), isFar: true }),
    minutes: 5.2,
    quickMinutes: 0.4,
  },
  'redis-php8.4': {
    run: handlers({ php: other, setup: () => oneServer(0) }),
    minutes: 3.1,
    quickMinutes: 1.3,
  },
  'cluster-php8.4': {
    run: handlers({ php: other, setup: () => cluster(), isBrief: true }),
    minutes: 2.6,
    quickMinutes: 0.7,
  },
  'memcached-php8.4': {
    run: handlers({ php: other, setup: () => oneMemcached(0), isBrief: true }),
    minutes: 5.1,
    quickMinutes: 0.5,
  },
  valkey: {
    run: handlers({ php, setup: () => oneServer(0, valkey()), isBrief: true }),
    minutes: 3.1,
    quickMinutes: 0.8,
  },
  'cluster-valkey': {
    run: handlers({ php, setup: () => cluster(valkey()), isBrief: true }),
    minutes: 2.7,
    quickMinutes: 0.7,
  },
  sizes: { run: sizes, minutes: 1, quickMinutes: 0.3 },
  faults: { run: redisFaults, minutes: 4.3, quickMinutes: 1.7 },
  'faults-memcached': { run: memcachedFaults, minutes: 3.1, quickMinutes: 2.2 },
  pool: { run: pool, minutes: 3.9 },
  eviction: { run: eviction, minutes: 0.3, quickMinutes: 0.4 },
  copy: { run: copying, minutes: 2.9, quickMinutes: 1.3 },
  encryption: { run: encryption(php, ['', 'gzip']), minutes: 0.4, quickMinutes: 0.3 },
  'encryption-php8.4': {
    run: encryption(other, ['', 'gzip', 'lz4', 'zstd']),
    minutes: 0.6,
    quickMinutes: 0.5,
  },
  instructions: { run: instructions, minutes: 0.7, quickMinutes: 1.1 },
  playground: { run: playground, minutes: 5.5, quickMinutes: 1.6 },
  scale: { run: scale, minutes: 12.2, quickMinutes: 4.2 },
}

/** Those that run when none is named. */
export function namesOf(isQuick: boolean): readonly string[] {
  const all = Object.keys(BENCHMARKS)
  return isQuick ? all.filter((name) => BENCHMARKS[name]?.quickMinutes !== undefined) : all
}

/** What these take in all; with `--quick` one that it leaves out takes as long as ever. */
export function minutesOf(names: readonly string[], isQuick: boolean): number {
  return names.reduce((sum, name) => {
    const { minutes = 0, quickMinutes = minutes } = BENCHMARKS[name] ?? {}
    return sum + (isQuick ? quickMinutes : minutes)
  }, 0)
}

/** The names with their minutes, as `scripts/bench --list` prints them. */
export function renderList(names: readonly string[]): string {
  const line = (name: string, ...columns: readonly string[]) =>
    `${name.padEnd(20)}${columns.map((text) => text.padStart(9)).join('')}\n`
  const minutes = (some: readonly string[], isQuick: boolean) =>
    String(Number(minutesOf(some, isQuick).toFixed(1)))
  const quick = names.filter((name) => namesOf(true).includes(name))
  return [
    line('minutes', 'in full', '--quick'),
    ...names.map((name) =>
      line(name, minutes([name], false), quick.includes(name) ? minutes([name], true) : '-'),
    ),
    line('all of them', minutes(names, false), minutes(quick, true)),
  ].join('')
}
