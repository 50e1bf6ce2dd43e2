import type { Address } from '../core/address.ts'
import { isObject, type Json, parseJson, type Sourced } from '../core/binding.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { hangsInTls13, type Php } from '../core/php.ts'
import type { Host } from '../host/host.ts'
import script from './probes/look-around.php'

/** How to start the PHP that will serve the app, with the extension redis: the program, then arguments before ours. */
export type PhpCommand = readonly [file: string, ...args: string[]]

/** How long the Sentinels have to name a master, and each of them to answer, in seconds. */
export interface Patience {
  readonly all: number
  readonly each: number
}

/** No patience at all: the Sentinels are not asked, and nothing goes over the network. */
export const OFFLINE: Patience = { all: 0, each: 0 }

/** What a PHP says of itself, and what the Sentinels said to it. */
export interface PhpFacts {
  /** Its PHP_VERSION_ID, e.g. 80236. */
  readonly versionId: number | undefined
  /** The last `max_execution_time` of its ini files, in seconds; undefined where none sets it. */
  readonly maxExecutionSeconds: number | undefined
  readonly phpredis: string | undefined
  /** Each `auto_prepend_file` of its ini files, in the order in which they are read, without those of php-sessions. */
  readonly prependFiles: readonly Sourced<string>[]
  /** The extensions for sessions that its ini files load. */
  readonly loaded: readonly string[]
  /** Those that lie where it looks for extensions. */
  readonly loadable: readonly string[]
  readonly master: Address | undefined
  /** Why each Sentinel named no master. */
  readonly failures: readonly string[]
}

const LIMIT_SECONDS = 45

/**
 * Asks a PHP what a plan depends on. It also asks the Sentinels of an endpoint for the master, unless `OFFLINE`.
 *
 * Gives the exit status alone where PHP gave no answer.
 */
export function lookAround(
  host: Host,
  php: PhpCommand,
  endpoint: Endpoint,
  patience: Patience,
): PhpFacts | number {
  const [file, ...args] = php
  const { status, stdout } = host.run({
    file,
    // A warning at PHP's start, as of an extension that an app loads twice, would be in the answer.
    args: [...args, '-d', 'display_errors=0', '-r', script.replace('<?php', '')],
    stdin: JSON.stringify(patience === OFFLINE ? {} : questionFor(endpoint, patience)),
    limitSeconds: LIMIT_SECONDS,
  })
  const answer = parseJson(stdout)
  if (status !== 0 || !isObject(answer)) return status
  return {
    versionId: typeof answer.phpVersion === 'number' ? answer.phpVersion : undefined,
    maxExecutionSeconds:
      typeof answer.maxExecutionSeconds === 'number' ? answer.maxExecutionSeconds : undefined,
    phpredis: typeof answer.phpredis === 'string' ? answer.phpredis : undefined,
    prependFiles: readPrependFiles(answer.prependFiles),
    loaded: readTexts(answer.loaded),
    loadable: readTexts(answer.loadable),
    master: readMaster(answer.master),
    failures: readTexts(answer.failures),
  }
}

/** As PHP_VERSION_ID has it. */
const PHP_8_1 = 80100

/** What is known of a PHP, with what it says of itself; `isReadLater` is about ini files, as in `TargetPhp`. */
export function learn(known: Php, facts: PhpFacts, isReadLater: (path: string) => boolean): Php {
  const { versionId, maxExecutionSeconds, phpredis, prependFiles } = facts
  return {
    ...known,
    maxExecutionSeconds: maxExecutionSeconds ?? known.maxExecutionSeconds,
    phpredis,
    prependFile: prependFiles.findLast(({ from }) => !isReadLater(from)) ?? known.prependFile,
    runsManaged: versionId === undefined ? known.runsManaged : versionId >= PHP_8_1,
    hangsInTls13: versionId !== undefined && hangsInTls13(versionId),
  }
}

function readPrependFiles(answer: Json | undefined): readonly Sourced<string>[] {
  const found = Array.isArray(answer) ? answer.filter(isObject) : []
  return found.map(({ value, file }) => ({ value: String(value), from: String(file) }))
}

function readTexts(answer: Json | undefined): readonly string[] {
  return Array.isArray(answer) ? answer.filter((text: Json) => typeof text === 'string') : []
}

/** Holds the passwords: it goes to PHP's stdin, which nobody else can read. */
function questionFor(endpoint: Endpoint, patience: Patience): Json {
  const { sentinel, servers, ca, clientCertificate } = endpoint
  if (sentinel === undefined) return {}
  return {
    limitSeconds: patience.all,
    timeoutSeconds: patience.each,
    sentinels: servers.map(({ value: { host, port } }) => ({ host, port })),
    masterName: sentinel.masterName.value,
    sentinelLogin: loginOf(sentinel),
    serverLogin: loginOf(endpoint),
    ca: ca?.value ?? null,
    clientCertificate: clientCertificate?.value.reveal() ?? null,
  }
}

function loginOf({ tls, user, password }: Pick<Endpoint, 'tls' | 'user' | 'password'>): Json {
  return { tls: tls.value, user: user?.value ?? null, password: password?.value.reveal() ?? null }
}

function readMaster(answer: Json | undefined): Address | undefined {
  if (!isObject(answer)) return undefined
  const { host, port } = answer
  return typeof host === 'string' && typeof port === 'number' ? { host, port } : undefined
}
