import type { Program } from '../processes/program.ts'
import type { Certificates } from '../servers/certificates.ts'

/** What servers that belong together have in common: the program, the login, and whether they keep their data. */
export interface AccessOptions {
  /** The machine's redis-server when absent. */
  readonly program?: Program | undefined
  /** The password that `requirepass` demands of every client; any characters. */
  readonly password?: string | undefined
  /** An ACL user with every right. Without `password`, clients that give no name are refused. */
  readonly user?: { readonly name: string; readonly password: string } | undefined
  /** Opens a second port, for TLS only; the servers then use TLS between each other. */
  readonly tls?: Certificates
  /** Speaks no TLS 1.3, in which some versions of PHP wait without end (php-src GH-10495). */
  readonly isTls12Only?: boolean
  /** Refuses TLS clients that have no certificate from the same CA. */
  readonly demandsCertificate?: boolean
  /** Listens on ::1 as well, on the same ports. */
  readonly ipv6?: boolean
  /** Writes each change to disk before it answers, uncompressed; a server that starts `at` this one reads it. */
  readonly keeps?: boolean
}

export interface RedisOptions extends AccessOptions {
  /** Opens a Unix socket as well. */
  readonly socket?: boolean
  /** Is a replica of this server, which has the same logins, and TLS if the replica has it. */
  readonly replicaOf?: Redis
  /** Makes it a node of a cluster, as yet without slots and without other nodes. */
  readonly cluster?: boolean
  /** Makes it a Sentinel; `lines` configure it. */
  readonly sentinel?: boolean
  /** Further lines of redis.conf. */
  readonly lines?: readonly string[]
  /** Takes the ports of a server that has ended. */
  readonly at?: Redis
}

export interface Redis {
  readonly host: '127.0.0.1'
  readonly port: number
  readonly tlsPort?: number
  /** The port at which the nodes of a cluster reach each other. */
  readonly busPort?: number
  /** Path of its Unix socket. */
  readonly socket?: string
  /** The directory in which it `keeps` its data. */
  readonly directory: string
  /** Runs redis-cli, logged in as the user with the most rights; gives what it prints, without the last line break. */
  cli(...args: string[]): string
  /** Runs many commands in one redis-cli; gives the lines that it prints. */
  batch(commands: readonly (readonly string[])[]): Promise<string[]>
  /** SIGSTOP makes it a server that accepts connections and never answers. */
  signal(name: NodeJS.Signals): void
  stop(): Promise<void>
}
