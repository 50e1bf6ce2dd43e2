import { spawnSync } from 'node:child_process'
import type { RedisOptions } from './options.ts'

/** The release of the machine's Redis, such as 6.0 on Ubuntu 22.04; programs that a test names are newer. */
let machine: number | undefined

function releaseOf({ program }: Pick<RedisOptions, 'program'>): number {
  if (program !== undefined) return Number.POSITIVE_INFINITY
  machine ??= Number(
    /v=(\d+\.\d+)/.exec(spawnSync('redis-server', ['--version'], { encoding: 'utf8' }).stdout)?.[1],
  )
  return machine
}

/** Before, the bus of a cluster is 10,000 ports above the other, and slots are added one by one. */
export const hasClusterPort = (options: Pick<RedisOptions, 'program'>) => releaseOf(options) >= 7

/** Sentinels can have users, and log in to each other with a password that they name. */
export const hasSentinelUsers = (options: Pick<RedisOptions, 'program'>) => releaseOf(options) >= 6.2

/** `INFO commandstats` counts the commands that the server refuses. */
export const countsRefused = (options: Pick<RedisOptions, 'program'>) => releaseOf(options) >= 6.2

/** A client can log out, by RESET. */
export const hasReset = (options: Pick<RedisOptions, 'program'>) => releaseOf(options) >= 6.2

/** Users have rights to channels, and replicas can be told to stay where they are. */
export const hasChannels = (options: Pick<RedisOptions, 'program'>) => releaseOf(options) >= 6.2

/** The rules of a user who may do everything, on every release. */
export function everyRight(options: Pick<RedisOptions, 'program'>): readonly string[] {
  return ['~*', ...(hasChannels(options) ? ['&*'] : []), '+@all']
}

/** `INFO commandstats` counts subcommands, such as `cluster|slots`; before, it counts their command. */
export const countsSubcommands = (options: Pick<RedisOptions, 'program'>) => releaseOf(options) >= 7
