import type { Address } from '../core/address.ts'
import { isObject, type Json, parseJson, type Sourced } from '../core/binding.ts'
import { type Endpoint, formatServers } from '../core/endpoint.ts'
import type { Finding } from '../core/finding.ts'
import { hangsInTls13 } from '../core/php.ts'
import type { Host } from '../host/host.ts'
import { makePlan, type Plan } from '../plan/plan.ts'
import script from './probes/look-around.php'
import type { ReadPlan } from './read-plan.ts'

/** How to start the PHP that will serve the app, with the extension redis: the program, then arguments before ours. */
export type PhpCommand = readonly [file: string, ...args: string[]]

/** How long the Sentinels have to name a master, and each of them to answer, in seconds. */
export interface Patience {
  readonly all: number
  readonly each: number
}

/** A failover may be under way; Cloud Foundry gives a start a minute. */
const AT_START: Patience = { all: 15, each: 2 }
const LIMIT_SECONDS = 45

/**
 * Completes a plan with what only the target PHP can tell: what its phpredis can do, and which server the Sentinels
 * call the master. PHP is started only where the plan depends on it.
 */
export function lookAround(host: Host, read: ReadPlan, php: PhpCommand, patience = AT_START): Plan {
  const endpoint = read.plan.planned?.endpoint
  if (endpoint === undefined || !dependsOnPhp(endpoint)) return read.plan
  return lookInside(host, read, php, () => false, patience).plan
}

/** A plan that is complete, and the PHP that it is for. */
export interface Inside {
  readonly plan: Plan
  /** Whether it told what follows. */
  readonly hasAnswered: boolean
  /** The extensions for sessions that its ini files load. */
  readonly loaded: readonly string[]
  /** Those that lie where it looks for extensions. */
  readonly loadable: readonly string[]
  /** E.g. `8.4`. */
  readonly version: string | undefined
  /** The `auto_prepend_file` of an ini file that is read after ours, which wins over ours. */
  readonly laterPrepend: Sourced<string> | undefined
}

/** Tells the ini files that are read after ours from the others. */
export type IsLater = (path: string) => boolean

/** The same with what is known of PHP's extensions; PHP is started in any case. */
export function lookInside(
  host: Host,
  { plan, input }: ReadPlan,
  php: PhpCommand,
  isLater: IsLater,
  patience = AT_START,
): Inside {
  const [file, ...args] = php
  const { status, stdout } = host.run({
    file,
    // A warning at PHP's start, as of an extension that an app loads twice, would be in the answer.
    args: [...args, '-d', 'display_errors=0', '-r', script.replace('<?php', '')],
    stdin: JSON.stringify(plan.planned === undefined ? {} : questionFor(plan.planned.endpoint, patience)),
    limitSeconds: LIMIT_SECONDS,
  })
  const answer = parseJson(stdout)
  const endpoint = plan.planned?.endpoint
  // Without an answer a plan still serves any phpredis, but it has no master to go to.
  if (status !== 0 || !isObject(answer))
    return {
      plan: endpoint?.sentinel === undefined ? plan : withFinding(plan, silent(php, status)),
      hasAnswered: false,
      loaded: [],
      loadable: [],
      version: undefined,
      laterPrepend: undefined,
    }
  const phpredis = typeof answer.phpredis === 'string' ? answer.phpredis : undefined
  const master = readMaster(answer.master)
  const limit = answer.maxExecutionSeconds
  const maxExecutionSeconds = typeof limit === 'number' ? limit : input.php.maxExecutionSeconds
  const versionId = typeof answer.phpVersion === 'number' ? answer.phpVersion : undefined
  const prependFiles = readPrependFiles(answer.prependFiles)
  const seen = {
    ...input.php,
    maxExecutionSeconds,
    phpredis,
    prependFile: prependFiles.findLast(({ from }) => !isLater(from)) ?? input.php.prependFile,
    runsManaged: versionId === undefined ? input.php.runsManaged : versionId >= PHP_8_1,
    hangsInTls13: versionId !== undefined && hangsInTls13(versionId),
  }
  const complete = makePlan({ ...input, php: seen, master })
  const isComplete = endpoint?.sentinel === undefined || master !== undefined
  return {
    plan: isComplete ? complete : withFinding(complete, noMaster(endpoint, answer.failures, phpredis)),
    hasAnswered: true,
    loaded: readNames(answer.loaded),
    loadable: readNames(answer.loadable),
    version:
      versionId === undefined
        ? undefined
        : `${Math.floor(versionId / 10_000)}.${Math.floor(versionId / 100) % 100}`,
    laterPrepend: prependFiles.findLast(({ from }) => isLater(from)),
  }
}

/** As PHP_VERSION_ID says it. */
const PHP_8_1 = 80100

function readPrependFiles(answer: Json | undefined): readonly Sourced<string>[] {
  const found = Array.isArray(answer) ? answer.filter(isObject) : []
  return found.map(({ value, file }) => ({ value: String(value), from: String(file) }))
}

function readNames(answer: Json | undefined): readonly string[] {
  return Array.isArray(answer) ? answer.filter((name: Json) => typeof name === 'string') : []
}

function dependsOnPhp({ topology, tls }: Endpoint): boolean {
  return topology.value === 'sentinel' || tls.value
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

/** The plan that is none, because of one more finding of level `error`, which comes before the warnings. */
function withFinding(plan: Plan, finding: Finding): Plan {
  return {
    planned: undefined,
    because: finding.title,
    directives: [],
    extensions: [],
    files: [],
    findings: [finding, ...plan.findings],
  }
}

function silent([file]: PhpCommand, status: number): Finding {
  return {
    id: 'php.silent',
    level: 'error',
    title: `PHP, which must ask the Sentinels for the master, gave no answer (exit status ${status})`,
    from: file,
    fix: `see whether this works: ${file} --ri redis`,
  }
}

function noMaster(endpoint: Endpoint, failures: Json | undefined, phpredis: string | undefined): Finding {
  const said = Array.isArray(failures) ? failures.join('; ') : ''
  const name = endpoint.sentinel?.masterName
  return {
    id: 'redis.master',
    level: 'error',
    title:
      phpredis === undefined
        ? `PHP has no extension redis to ask the Sentinels with for the master ${name?.value}`
        : `no Sentinel names a master ${name?.value}: ${said}`,
    from: `${name?.from ?? ''} and the Sentinels ${formatServers(endpoint)}`,
    fix:
      phpredis === undefined
        ? 'install the extension redis'
        : `ask one of them: redis-cli -p PORT sentinel get-master-addr-by-name ${name?.value}`,
  }
}
