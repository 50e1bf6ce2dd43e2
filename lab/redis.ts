import { execFile, execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Certificates } from './certificates.ts'
import { debian13Missing, debian13Program, type Program, type Unavailable } from './debian13.ts'
import { startServer } from './process.ts'
import { dataIn, namedPorts, portNames, quote, redisConf, socketIn, strongestLogin } from './redis-conf.ts'

/** What servers that belong together have in common: which program they are, how one gets in, and what stays. */
export interface AccessOptions {
  /** The machine's redis-server when absent. */
  readonly program?: Program | undefined
  /** What `requirepass` asks of everybody; any characters. */
  readonly password?: string | undefined
  /** An ACL user with every right. Without `password` the nameless user is shut out. */
  readonly user?: { readonly name: string; readonly password: string } | undefined
  /** Opens a second port that speaks TLS only; servers then speak it among each other. */
  readonly tls?: Certificates
  /** Lets nobody in over TLS without a certificate from the same CA. */
  readonly demandsCertificate?: boolean
  /** Listens on ::1 as well, on the same ports. */
  readonly ipv6?: boolean
  /** Writes each change to disk before it answers, uncompressed; a server `at` this one's ports begins with that. */
  readonly keeps?: boolean
}

export interface RedisOptions extends AccessOptions {
  /** Opens a Unix socket as well. */
  readonly socket?: boolean
  /** Follows this one, which has the same logins, and TLS when this one has. */
  readonly replicaOf?: Redis
  /** Makes it a node of a cluster, still without slots and without acquaintances. */
  readonly cluster?: boolean
  /** Makes it a Sentinel, which lives by its `lines`. */
  readonly sentinel?: boolean
  /** Further lines of redis.conf. */
  readonly lines?: readonly string[]
  /** Takes the ports of one that has ended. */
  readonly at?: Redis
}

export interface Redis {
  readonly host: '127.0.0.1'
  readonly port: number
  readonly tlsPort?: number
  /** Where the nodes of a cluster talk to each other. */
  readonly busPort?: number
  /** Path of its Unix socket. */
  readonly socket?: string
  /** Where it `keeps` what it has. */
  readonly directory: string
  /** What redis-cli prints for a command, without the last line break; logged in as the strongest user. */
  cli(...args: string[]): string
  /** The lines that it prints for many commands, one after the other, while we do something else. */
  batch(commands: readonly (readonly string[])[]): Promise<string[]>
  /** SIGSTOP makes a server that accepts and never answers. */
  signal(name: NodeJS.Signals): void
  stop(): Promise<void>
}

const machineRedis: Program = (args, env = process.env) => ({ file: 'redis-server', args, env })

/** The valkey-server of Debian 13 that scripts/debian13 unpacks, or why it is not there. */
export function debian13Valkey(): Program | Unavailable {
  return debian13Missing('valkey-server') ?? debian13Program('valkey-server')
}

/** Starts a server, which keeps nothing on disk unless told to. */
export async function startRedis(options: RedisOptions = {}): Promise<Redis> {
  const { at } = options
  const names = portNames(options)
  const server = await startServer({
    name: 'redis',
    ports: at === undefined ? names.length : names.map((name) => at[name] ?? 0),
    command: (place) => {
      const file = join(place.directory, 'redis.conf')
      writeFileSync(file, redisConf(options, place))
      return (options.program ?? machineRedis)([file, ...(options.sentinel ? ['--sentinel'] : [])])
    },
  })
  const ports = namedPorts(options, server.ports)
  const { user, password } = strongestLogin(options)
  const login = ['-p', String(ports.port), ...(user === undefined ? [] : ['--user', user])]
  const env = { PATH: process.env.PATH, ...(password === undefined ? {} : { REDISCLI_AUTH: password }) }
  return {
    host: '127.0.0.1',
    ...ports,
    directory: dataIn(options, server.directory),
    ...(options.socket ? { socket: socketIn(server.directory) } : {}),
    cli: (...args) =>
      execFileSync('redis-cli', [...login, ...args], { encoding: 'utf8', env }).replace(/\n$/, ''),
    batch: async (commands) => {
      if (commands.length === 0) return []
      const running = promisify(execFile)('redis-cli', login, { env, maxBuffer: Number.POSITIVE_INFINITY })
      running.child.stdin?.end(commands.map((command) => command.map(quote).join(' ')).join('\n'))
      return (await running).stdout.replace(/\n$/, '').split('\n')
    },
    signal: server.kill,
    stop: server.stop,
  }
}
