/** A setting as one PHP has it. */
export interface Setting {
  readonly isExpected: boolean
  /** Null for a secret; a save_path without its query. */
  readonly value: string | null
  /** FILE:LINE; null where no file says it. */
  readonly from: string | null
}

/** One way in which PHP is started here: on the command line, or as php-fpm. */
export interface Sapi {
  /** The main ini file; null where there is none. */
  readonly loaded: string | null
  /** Where it would be. */
  readonly path: string | null
  readonly scan: readonly { readonly path: string; readonly isWritable: boolean }[]
  /** All ini files, in the order in which they are read. */
  readonly files: readonly string[]
  readonly extensions: Readonly<Record<string, string | null>>
  readonly settings: Readonly<Record<string, Setting>>
  /** The file that php-sessions wrote. */
  readonly ours: string | null
  /** Syntax errors, with their place. */
  readonly faults: readonly string[]
  /** Files with a secret that every user can read. */
  readonly exposed: readonly string[]
}

/** The answer of src/php/settings.php. */
export interface SettingsAnswer {
  readonly version: string
  readonly extensionDirectory: string
  /** Those among the extensions for sessions that lie there. */
  readonly libraries: readonly string[]
  readonly cli: Sapi
  readonly fpm: (Sapi & Fpm) | null
}

export interface Fpm {
  readonly version: string | null
  readonly pools: readonly (Setting & { readonly name: string })[]
}

/** The answer of src/php/extension.php. */
export interface ExtensionAnswer {
  /** What PHP said when it was told to load it. */
  readonly said: string
}

export type ServerState =
  | 'resolving'
  | 'unresolved'
  | 'refused'
  | 'slow'
  | 'untried'
  | 'silent'
  | 'closed'
  | 'alert'
  | 'foreign'
  | 'speaks'
  | 'speaks-tls'
  | 'speaks-plain'
  | 'tls-ca'
  | 'tls-name'
  | 'tls-expired'
  | 'tls-failed'

/** What was met on the way to one server. */
export interface ServerAnswer {
  readonly state: ServerState
  readonly said?: string
  readonly address?: string
  /** Whether a Memcached asks who one is. */
  readonly hasLogin?: boolean
  readonly milliseconds?: number
  readonly certificate?: {
    readonly names: string
    readonly issuer: string
    readonly from: string
    readonly to: string
  }
}

/** The answer of src/php/network.php. */
export interface NetworkAnswer {
  readonly servers: readonly ServerAnswer[]
}

/** The answer of src/php/redis.php. */
export interface RedisAnswer {
  readonly login: boolean | null
  readonly error: string | null
  readonly role: string | null
  readonly master: string | null
  readonly info: Readonly<Record<string, string>>
  readonly clusterState: string | null
  readonly select: string | null
  readonly commands: readonly { readonly command: string; readonly error: string }[]
}

/** The answer of src/php/memcached.php. */
export interface MemcachedAnswer {
  readonly hasPlugin: boolean
  readonly servers: readonly {
    readonly isStored: boolean
    readonly isRead: boolean
    readonly result: string
    readonly itemSize: number | null
    readonly evictions: number | null
    readonly version: string | null
    readonly connections: number | null
    readonly maxConnections: number | null
  }[]
}

/** The answer of src/php/session.php. */
export interface SessionAnswer {
  readonly exitStatus: number
  /** What it came to; `done` is all of it. */
  readonly step: 'start' | 'write' | 'read' | 'second' | 'done'
  readonly handler: string
  readonly error: string
  readonly said: readonly string[]
  /** Whether the second process had to wait for the first. */
  readonly isLocked: boolean
  /** Whether what both wrote is there. */
  readonly isKept: boolean
  readonly second: { readonly error?: string; readonly said?: readonly string[] }
}
