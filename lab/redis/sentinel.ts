import { until } from '../processes/until.ts'
import { type Login, quote, strongestLogin } from './conf.ts'
import type { AccessOptions, Redis } from './options.ts'
import { hasSentinelUsers } from './release.ts'
import { startRedis } from './server.ts'

export interface SentinelOptions extends AccessOptions {
  /** The password that the Sentinels themselves demand. */
  readonly sentinelPassword?: string
  readonly sentinelUser?: { readonly name: string; readonly password: string }
  /** How many replicas the master has; one when absent. */
  readonly replicas?: number
}

export interface Sentinels {
  readonly masterName: string
  readonly sentinels: readonly Redis[]
  /** The first master, then its replicas. */
  readonly servers: readonly Redis[]
  /** The master by the account of the first Sentinel. */
  master(): Redis
  /** Kills the master, or freezes it by SIGSTOP; gives it. */
  killMaster(by?: 'SIGKILL' | 'SIGSTOP'): Redis
  /** Waits until all Sentinels name a new master, and it is one; gives it. */
  untilNewMaster(): Promise<Redis>
  stop(): Promise<void>
}

const MASTER = 'lab'
const SENTINELS = 3
const QUORUM = 2

/** Starts a master with replicas and three Sentinels, and waits until the Sentinels know all of them. */
export async function startSentinels(options: SentinelOptions = {}): Promise<Sentinels> {
  const { sentinelPassword, sentinelUser, replicas = 1, ...forServers } = options
  const first = await startRedis(forServers)
  const follow = () => startRedis({ ...forServers, replicaOf: first })
  const servers = [first, ...(await Promise.all(Array.from({ length: replicas }, follow)))]
  await until('the replicas to be up to date', () => servers.slice(1).every(isUpToDate))
  const forSentinels = { ...forServers, password: sentinelPassword, user: sentinelUser, sentinel: true }
  const watch = () => startRedis({ ...forSentinels, lines: sentinelLines(first, forServers, forSentinels) })
  const sentinels = await Promise.all(Array.from({ length: SENTINELS }, watch))
  await until('the Sentinels to know each other and the replicas', () =>
    sentinels.every((sentinel) => knowsAll(sentinel, replicas)),
  )

  let dead: Redis | undefined
  const masterOf = (sentinel: Redis) => {
    const [, port] = sentinel.cli('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER).split('\n')
    return servers.find((server) => String(server.tlsPort ?? server.port) === port) as Redis
  }
  const master = () => masterOf(sentinels[0] as Redis)
  return {
    masterName: MASTER,
    sentinels,
    servers,
    master,
    killMaster: (by = 'SIGKILL') => {
      dead = master()
      dead.signal(by)
      return dead
    },
    untilNewMaster: async () => {
      const isThere = (now: Redis) =>
        now !== dead && sentinels.every((sentinel) => masterOf(sentinel) === now) && isMaster(now)
      await until('a new master', () => isThere(master()))
      return master()
    },
    stop: async () => {
      await Promise.all([...sentinels, ...servers].map((server) => server.stop()))
    },
  }
}

function sentinelLines(master: Redis, forServers: AccessOptions, forSentinels: AccessOptions): string[] {
  const theirs = strongestLogin(forServers)
  // Before 6.2 they log in to each other with their own requirepass.
  const ours: Login = hasSentinelUsers(forSentinels) ? strongestLogin(forSentinels) : {}
  return [
    `sentinel monitor ${MASTER} ${master.host} ${master.tlsPort ?? master.port} ${QUORUM}`,
    `sentinel down-after-milliseconds ${MASTER} 1000`,
    `sentinel failover-timeout ${MASTER} 5000`,
    ...(theirs.user === undefined ? [] : [`sentinel auth-user ${MASTER} ${quote(theirs.user)}`]),
    ...(theirs.password === undefined ? [] : [`sentinel auth-pass ${MASTER} ${quote(theirs.password)}`]),
    ...(ours.user === undefined ? [] : [`sentinel sentinel-user ${quote(ours.user)}`]),
    ...(ours.password === undefined ? [] : [`sentinel sentinel-pass ${quote(ours.password)}`]),
  ]
}

function knowsAll(sentinel: Redis, replicas: number): boolean {
  const lines = sentinel.cli('SENTINEL', 'MASTER', MASTER).split('\n')
  const field = (name: string) => lines[lines.indexOf(name) + 1]
  const [others, slaves] = [field('num-other-sentinels'), field('num-slaves')].map(Number)
  return field('flags') === 'master' && others === SENTINELS - 1 && slaves === replicas
}

function isUpToDate(replica: Redis): boolean {
  return replica.cli('INFO', 'replication').includes('master_link_status:up')
}

function isMaster(server: Redis): boolean {
  return server.cli('INFO', 'replication').includes('role:master')
}
