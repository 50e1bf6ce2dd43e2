import type { Program } from '../debian13.ts'
import type { Certificates } from '../servers/certificates.ts'

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
