import { join } from 'node:path'
import type { Place } from '../processes/server.ts'
import type { RedisOptions } from './options.ts'
import { everyRight, hasClusterPort } from './release.ts'

type PortName = 'port' | 'tlsPort' | 'busPort'

/** The names of a server's ports, in the order of the ports in its `Place`. */
export function portNames(options: RedisOptions): PortName[] {
  const names: PortName[] = options.tls === undefined ? ['port'] : ['port', 'tlsPort']
  return options.cluster && hasClusterPort(options) ? [...names, 'busPort'] : names
}

/** Renders redis.conf. */
export function redisConf(options: RedisOptions, { directory, ports }: Place): string {
  const { port, tlsPort, busPort } = namedPorts(options, ports)
  return [
    `bind 127.0.0.1${options.ipv6 ? ' ::1' : ''}`,
    `port ${port}`,
    `dir ${dataIn(options, directory)}`,
    'save ""',
    'repl-diskless-sync-delay 0',
    ...(options.keeps ? KEEP : ['appendonly no']),
    ...(options.socket ? [`unixsocket ${socketIn(directory)}`] : []),
    ...(options.cluster
      ? ['cluster-enabled yes', ...(hasClusterPort(options) ? [`cluster-port ${busPort}`] : [])]
      : []),
    ...loginLines(options),
    ...tlsLines(options, tlsPort),
    ...replicaLines(options),
    ...(options.lines ?? []),
    '',
  ].join('\n')
}

/** Writes before each answer, and uncompressed, so that tests find a word in the files. */
const KEEP = ['appendonly yes', 'appendfsync always', 'auto-aof-rewrite-percentage 0', 'rdbcompression no']

/** The directory of its data: that of the server whose place it takes, if that server has kept its data. */
export function dataIn({ keeps, at }: RedisOptions, own: string): string {
  return keeps && at !== undefined ? at.directory : own
}

function loginLines(options: RedisOptions): string[] {
  const { password, user } = options
  const lines = password === undefined ? [] : [`requirepass ${quote(password)}`]
  if (user === undefined) return lines
  if (password === undefined) lines.push('user default off')
  const rules = ['on', quote(`>${user.password}`), ...everyRight(options)]
  return [...lines, `user ${quote(user.name)} ${rules.join(' ')}`]
}

function tlsLines(options: RedisOptions, tlsPort: number | undefined): string[] {
  const { tls, isTls12Only, demandsCertificate, cluster } = options
  if (tls === undefined) return []
  return [
    `tls-port ${tlsPort}`,
    ...(isTls12Only ? ['tls-protocols "TLSv1.2"'] : []),
    `tls-auth-clients ${demandsCertificate ? 'yes' : 'no'}`,
    `tls-ca-cert-file ${tls.ca}`,
    `tls-cert-file ${tls.certificate}`,
    `tls-key-file ${tls.key}`,
    'tls-replication yes',
    ...(cluster ? ['tls-cluster yes'] : []),
  ]
}

/** A master has these lines, too: another server may become the master. */
function replicaLines(options: RedisOptions): string[] {
  const { user, password } = strongestLogin(options)
  const { replicaOf, tls } = options
  const port = tls === undefined ? replicaOf?.port : replicaOf?.tlsPort
  return [
    ...(user === undefined ? [] : [`masteruser ${quote(user)}`]),
    ...(password === undefined ? [] : [`masterauth ${quote(password)}`]),
    ...(replicaOf === undefined ? [] : [`replicaof ${replicaOf.host} ${port}`]),
  ]
}

export function namedPorts(options: RedisOptions, ports: readonly number[]) {
  const pairs = portNames(options).map((name, index) => [name, ports[index]])
  const named = Object.fromEntries(pairs) as { port: number; tlsPort?: number; busPort?: number }
  if (!options.cluster || hasClusterPort(options)) return named
  return { ...named, busPort: (named.tlsPort ?? named.port) + 10_000 }
}

export function socketIn(directory: string): string {
  return join(directory, 'redis.sock')
}

/** The login with every right; without a user it is the default user's. */
export interface Login {
  readonly user?: string
  readonly password?: string
}

export function strongestLogin({ user, password }: RedisOptions): Login {
  if (user !== undefined) return { user: user.name, password: user.password }
  return password === undefined ? {} : { password }
}

/** Writes every byte as \xHH: many characters have a meaning in redis.conf. */
export function quote(text: string): string {
  return `"${[...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}"`
}
