import type { Sourced } from '../../core/binding.ts'
import type { Credentials, ListedServer } from '../../core/credentials/credentials.ts'
import type { Topology } from '../../core/endpoint.ts'
import type { Options } from '../../core/options.ts'
import { checkListed, portOf } from '../read-servers.ts'
import type { RedisPlaces, Shape } from './places.ts'
import {
  askSentinels,
  type ListedSentinels,
  noteUnusedSentinels,
  readSentinels,
  signOfSentinel,
} from './sentinels.ts'

const DEFAULT_PORT = 6379

/**
 * Decides how the servers of a binding work together; undefined if the findings say why that cannot be decided.
 *
 * Sentinels are asked only if the binding has no host that follows the master by itself. Several hosts are replicas
 * at some brokers and a Redis Cluster at others: the word `cluster` in the plan or label decides.
 */
export function readTopology(
  credentials: Credentials,
  places: RedisPlaces,
  wanted: Options['PHP_SESSIONS_TOPOLOGY'],
): Shape | undefined {
  const sentinels = readSentinels(credentials, places)
  const sign = wanted === undefined ? undefined : { value: wanted, from: 'PHP_SESSIONS_TOPOLOGY' }
  const topology =
    sign ?? signOfSentinel(credentials, places, sentinels) ?? signOfCluster(credentials, places, sentinels)
  if (topology?.value === 'sentinel') return askSentinels(credentials, sentinels, topology)
  if (topology?.value === 'cluster') return useCluster(credentials, places, topology)
  if (sentinels === undefined && wanted === undefined) noteUnusedSentinels(credentials, places)
  return useOne(credentials, places, topology)
}

function useOne(
  credentials: Credentials,
  places: RedisPlaces,
  wanted: Sourced<Topology> | undefined,
): Shape | undefined {
  const { uri, tlsPort, port } = places
  const listed = places.direct ?? credentials.servers('hosts')
  const [first, ...others] = listed?.value ?? []
  if (listed === undefined || first === undefined) {
    credentials.noteMissing('host', ['host', 'uri'])
    return undefined
  }
  if (others.length > 0 && wanted === undefined) {
    credentials.note({
      id: 'binding.topology',
      level: 'error',
      title: `the binding has ${others.length + 1} servers and does not say whether they are a cluster or replicas`,
      from: listed.from,
      fix: 'set PHP_SESSIONS_TOPOLOGY=cluster for a Redis Cluster, or =single to use only the first server',
    })
    return undefined
  }
  const inUri = uri?.value.hosts[0]?.port
  const chosenPort = tlsPort ?? port ?? ownPort(credentials, first, listed.from, inUri)
  const address = { ...first, port: undefined }
  const servers = checkListed(credentials, address, listed.from, chosenPort?.value ?? DEFAULT_PORT)
  return { topology: wanted ?? { value: 'single', from: listed.from }, servers, sentinel: undefined }
}

function ownPort(
  credentials: Credentials,
  { port, tlsPort }: ListedServer,
  from: string,
  inUri: string | undefined,
): Sourced<number> | undefined {
  const value = tlsPort ?? port ?? inUri
  return value === undefined ? undefined : portOf(credentials, { value, from })
}

function signOfCluster(
  credentials: Credentials,
  { uri, direct }: RedisPlaces,
  sentinels: ListedSentinels | undefined,
): Sourced<Topology> | undefined {
  const { kinds, plan = '' } = credentials.binding
  const mode = credentials.flag('clusterMode')
  const nodes = credentials.servers('clusterNodes')
  const hosts = credentials.servers('hosts')
  const isNamed = [plan, ...kinds].some((word) => /cluster/i.test(word))
  const replicas = sentinels !== undefined || credentials.has('loadBalancedHost')
  const signs = [
    mode?.value === true ? mode.from : undefined,
    nodes?.from,
    /cluster/.test(uri?.value.scheme ?? '') || uri?.value.query.redis_cluster === '1' ? uri?.from : undefined,
    // Amazon's name for the address that lists all nodes.
    direct?.value[0]?.host?.startsWith('clustercfg.') === true ? direct.from : undefined,
    hosts !== undefined && isNamed && !replicas
      ? `${hosts.from}, and the word cluster in the plan`
      : undefined,
  ]
  const from = signs.find((sign) => sign !== undefined)
  return from === undefined ? undefined : { value: 'cluster', from }
}

function useCluster(
  credentials: Credentials,
  { tlsPort, port, direct }: RedisPlaces,
  topology: Sourced<Topology>,
): Shape | undefined {
  const seeds = credentials.servers('clusterNodes') ?? credentials.servers('hosts') ?? direct
  if (seeds === undefined || seeds.value.length === 0) {
    credentials.noteMissing('nodes of the cluster', ['clusterNodes', 'hosts', 'host'])
    return undefined
  }
  const defaultPort = tlsPort?.value ?? port?.value ?? DEFAULT_PORT
  const servers = seeds.value.flatMap((seed) =>
    checkListed(credentials, { ...seed, port: seed.tlsPort ?? seed.port }, seeds.from, defaultPort),
  )
  return { topology, servers, sentinel: undefined }
}
