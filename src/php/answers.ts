import type { Address } from '../core/address.ts'

/** A setting of one PHP. */
export interface Setting {
  readonly isExpected: boolean
  /** Null for a secret; a save_path without its query. */
  readonly value: string | null
  /** FILE:LINE; null where no file sets it. */
  readonly from: string | null
}

/** A line with a setting. */
export interface SettingLine {
  readonly name: string
  readonly value: string
  /** FILE:LINE, or the file alone. */
  readonly from: string
}

/** The file of a line. */
export function fileOf({ from }: Pick<SettingLine, 'from'>): string {
  return from.replace(/:[0-9]+$/, '')
}

/** A line of a pool of php-fpm. */
export interface PoolLine extends SettingLine {
  readonly pool: string
  /** `php_admin_value` and the like; empty for a setting of php-fpm itself. */
  readonly kind: string
}

/** PHP on the command line, or php-fpm. */
export interface Sapi {
  /** The main ini file; null if there is none. */
  readonly loaded: string | null
  /** The directory of the main ini file, whether that exists or not. */
  readonly path: string | null
  readonly scan: readonly { readonly path: string; readonly isWritable: boolean }[]
  /** All ini files, in the order in which PHP reads them. */
  readonly files: readonly string[]
  readonly extensions: Readonly<Record<string, string | null>>
  readonly settings: Readonly<Record<string, Setting>>
  /** The file that php-sessions wrote. */
  readonly ours: string | null
  /** Syntax errors, with FILE:LINE. */
  readonly faults: readonly string[]
  /** Files that hold a secret and that every user can read. */
  readonly exposed: readonly string[]
  /** The ini files, or directories of ini files, that this user may not read. */
  readonly unreadable: readonly string[]
}

/** The answer of src/php/probes/settings.php. */
export interface SettingsAnswer {
  readonly version: string
  readonly extensionDirectory: string
  /** The extensions for sessions in that directory. */
  readonly libraries: readonly string[]
  readonly cli: Sapi
  readonly fpm: (Sapi & Fpm) | null
  /** Set where `cli` has the ini files of Apache's module. */
  readonly isApache?: boolean
}

export interface Fpm {
  readonly version: string | null
  /** The ini file that this user may not read, where it crashes at one; it then gives only its version. */
  readonly crashesAt?: string | null
  readonly pools: readonly (Setting & { readonly name: string })[]
}

/** The answer of src/php/probes/extension.php. */
export interface ExtensionAnswer {
  /** PHP's messages while it loaded the extension. */
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
  | 'dripping'
  | 'crowded'
  | 'other-store'
  | 'text-only'
  | 'speaks'
  | 'speaks-tls'
  | 'speaks-plain'
  | 'tls-ca'
  | 'tls-name'
  | 'tls-expired'
  | 'tls-failed'
  | 'tls-closed'

/** How far the connection to one server came. */
export interface ServerAnswer {
  readonly state: ServerState
  readonly said?: string
  readonly address?: string
  /** Whether a Memcached asks for a login. */
  readonly hasLogin?: boolean
  readonly milliseconds?: number
  readonly certificate?: {
    readonly names: string
    readonly issuer: string
    readonly from: string
    readonly to: string
  }
  /** When the CA certificate in the binding ended; null where it is valid. */
  readonly caEnded?: string | null
}

/** The answer of src/php/probes/servers/network.php. */
export interface NetworkAnswer {
  readonly servers: readonly ServerAnswer[]
}

/** A command of a session handler that a server did not execute. */
export interface RefusedCommand {
  readonly command: string
  /** The server's message; empty if it sent something that does not answer the command. */
  readonly error: string
  readonly answer?: string
}

/** The answer of src/php/probes/servers/redis.php. */
export interface RedisAnswer {
  readonly login: boolean | null
  readonly error: string | null
  readonly role: string | null
  readonly master: string | null
  readonly info: Readonly<Record<string, string>>
  readonly clusterState: string | null
  readonly select: string | null
  readonly commands: readonly RefusedCommand[]
  /** The command that got no answer. */
  readonly broken?: { readonly command: string; readonly isSilent: boolean; readonly said: string }
  /** The command that it was sending when it was stopped; null at the end. */
  readonly sending: string | null
}

/** The answer of src/php/probes/servers/memcached.php. */
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
    /**
     * The first command of the managed handler that the server does not support; null if that handler is not wanted.
     */
    readonly handler: { readonly command: string | null; readonly said: string } | null
  }[]
}

/** The answer of src/php/probes/session.php. */
export interface SessionAnswer {
  readonly exitStatus: number
  /** The step that it reached; `done` is the end. */
  readonly step: 'start' | 'write' | 'read' | 'second' | 'done'
  readonly handler: string
  readonly error: string
  readonly said: readonly string[]
  /** Whether the second process had to wait for the first. */
  readonly isLocked: boolean
  /** Whether the session has the data of both processes. */
  readonly isKept: boolean
  /** What the store contains of it, if the managed handler was asked to look. */
  readonly stored?: { readonly isThere: boolean; readonly isNamed: boolean; readonly isClear: boolean }
  readonly second: { readonly error?: string; readonly said?: readonly string[] }
}

/** The answer of src/php/probes/servers/previous.php. */
export interface PreviousAnswer {
  /** Why the managed handler could not keep a session there; null if it could. */
  readonly failure: string | null
}

/** Where a php-fpm may have its configuration, and what relative paths in it are relative to. */
export interface FpmPlaces {
  /** In the order in which they are tried. */
  readonly files: readonly string[]
  readonly prefix: string
}

/** The answer of src/php/probes/look-around.php. */
export interface LookAroundAnswer {
  /** Its PHP_VERSION_ID, e.g. 80236. */
  readonly versionId: number
  /** Whether it waits for ever if TLS 1.3 sends its tickets before the first answer. */
  readonly hangsInTls13: boolean
  /** What `-d` gives to settings, by their names. */
  readonly definitions: Readonly<Record<string, string>>
  /** Which of `sodium`, `zstd`, `lz4` and `gzip` it supports. */
  readonly codecs: readonly string[]
  readonly phpredis: string | null
  /** The version of the library that the extension memcached uses. */
  readonly libmemcached: string | null
  /** The last `max_execution_time` of its ini files, in seconds; null if none sets it. */
  readonly maxExecutionSeconds: number | null
  /** The extensions for sessions that php-fpm has loaded, or that PHP where there is no php-fpm of its version. */
  readonly loaded: readonly string[]
  /** The extensions for sessions that are installed. */
  readonly loadable: readonly string[]
  /** Those of them that the PHP that answers has not loaded itself; its php-fpm may have. */
  readonly unloaded: readonly string[]
  /** The extensions for sessions that lines of its scanned ini files name, in their order, whether they are loaded or not. */
  readonly scanned: readonly string[]
  /** The settings of its ini files that decide whether the managed handler runs, in PHP's order. */
  readonly lines: readonly SettingLine[]
  /**
   * The php-fpm that serves the app, if there is one: how to start it, and where it may have its configuration. The
   * version is that of a php-fpm of another version, e.g. `8.4.27`.
   */
  readonly fpm:
    | (FpmPlaces & { readonly command: readonly string[]; readonly otherVersion?: string | null })
    | null
  /** Whether settings of sessions cannot be changed at run time, because session.upload_progress.enabled is on. */
  readonly locksSettings: boolean
  /** Whether session.upload_progress.enabled is on. */
  readonly watchesUploads: boolean
  /** The `session.save_path` for files. */
  readonly savePath: string | null
  /** Null if no Sentinel was asked, or none named a master. */
  readonly master: Address | null
  /** Why each Sentinel named no master. */
  readonly failures: readonly string[]
}
