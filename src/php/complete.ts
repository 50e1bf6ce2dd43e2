import { type Endpoint, formatServers } from '../core/endpoint.ts'
import type { Finding } from '../core/finding.ts'
import { makeMask } from '../core/mask.ts'
import { DEFAULT_PHP, type Php } from '../core/php.ts'
import { joinFirst } from '../core/text.ts'
import type { Host } from '../host/host.ts'
import { type Choice, type ChosenStore, configure, type Plan, planFiles } from '../plan/plan.ts'
import type { PoolLine, SettingLine } from './answers.ts'
import type { PhpStart } from './ask.ts'
import { learn, lookAround, OFFLINE, type Patience, type PhpFacts } from './look-around.ts'
import { readPools } from './web/pools.ts'

/** The PHP that a plan is for. */
export interface TargetPhp {
  /** Starts it; undefined where there is none yet, as during staging. */
  readonly start: PhpStart | undefined
  /** What is known about it without asking it. */
  readonly known: Php
  /** Whether `known` is enough for all but TLS and Sentinels: a PHP whose files have been read need not be started. */
  readonly isKnown: boolean
  /** The version that it must have, e.g. `8.2`, for its answers to count; absent where it is the PHP in question. */
  readonly version?: string | undefined
  /** How to start php-fpm, whose pools count; empty for none, undefined to look for that of the same version. */
  readonly fpm: readonly string[] | undefined
  /** Whether PHP reads an ini file after the one of php-sessions, which then wins. */
  readonly isReadLater: (path: string) => boolean
  /** The settings of its ini files that decide where sessions are kept, if known without asking. */
  readonly lines: readonly SettingLine[]
  /** The command that serves the app, where it is known: its `-d` win over ini files. */
  readonly served?: readonly string[] | undefined
}

/** For plans where no PHP is there yet. */
export const UNKNOWN_PHP: TargetPhp = {
  start: undefined,
  known: DEFAULT_PHP,
  isKnown: true,
  fpm: [],
  isReadLater: () => false,
  lines: [],
}

/** A finished plan, and PHP's answers for it. */
export interface CompletePlan {
  readonly plan: Plan
  /** The PHP that it is for, as far as that is known. */
  readonly target: Php
  /** What PHP reported; undefined if it was not asked or gave no answer. */
  readonly facts: PhpFacts | undefined
  /** The settings of its php-fpm's pools, and those of php-fpm itself. */
  readonly pools: readonly PoolLine[]
}

/** What is known about a PHP besides its plan. */
export type Known = Pick<CompletePlan, 'facts' | 'pools'>

/** Finds what would keep the managed handler of the chosen store from running in a PHP. */
export type FindObstacles = (chosen: ChosenStore, choice: Choice, known: Known) => readonly Finding[]

/**
 * Makes the plan for a choice and a PHP, in the same way for every command: asks PHP what the plan depends on,
 * then decides the directives.
 *
 * `OFFLINE`, the Sentinels are not asked and the master stays unknown.
 */
export function completePlan(
  host: Host,
  choice: Choice,
  php: TargetPhp,
  directory: string,
  patience: Patience,
  findObstacles: FindObstacles,
): CompletePlan {
  const { chosen } = choice
  const endpoint = chosen?.endpoint
  const obstaclesFor = (known: Known) =>
    chosen !== undefined && wantsManaged(choice) ? findObstacles(chosen, choice, known) : []
  const withoutAsking = (): CompletePlan => {
    const known = { facts: undefined, pools: poolsOf(host, php) }
    const target = { ...php.known, obstacles: obstaclesFor(known) }
    return { plan: configure(choice, { php: target, directory, master: undefined }), target, ...known }
  }
  if (php.start === undefined) return withoutAsking()
  if (php.isKnown && !dependsOnPhp(endpoint) && !wantsManaged(choice)) return withoutAsking()

  const needsMaster = endpoint?.sentinel !== undefined
  const facts = lookAround(host, php.start, php, endpoint, patience)
  // Without an answer the plan still suits every phpredis, but the master stays unknown.
  if (typeof facts === 'number') {
    const unasked = withoutAsking()
    return needsMaster ? { ...unasked, plan: spoil(unasked.plan, silent(php.start, facts)) } : unasked
  }
  const isTarget = php.version === undefined || hasVersion(facts, php.version)
  const known = isTarget ? { facts, pools: facts.pools } : { facts: undefined, pools: poolsOf(host, php) }
  const told = isTarget ? learn(php.known, facts, php.isReadLater) : php.known
  const target = { ...told, obstacles: obstaclesFor(known) }
  const plan = configure(choice, { php: target, directory, master: facts.master })
  const isUnknown = needsMaster && facts.master === undefined
  return { plan: isUnknown ? withoutMaster(plan, endpoint, facts, patience) : plan, target, ...known }
}

/** The plan where PHP knows of no master: it has no phpredis, was not to ask the Sentinels, or none has named one. */
function withoutMaster(plan: Plan, endpoint: Endpoint, facts: PhpFacts, patience: Patience): Plan {
  // Whoever starts with this PHP cannot ask them either.
  if (facts.phpredis === undefined) return spoil(plan, masterUnknown(endpoint, facts))
  return patience === OFFLINE ? plan : refuse(plan, masterUnknown(endpoint, facts))
}

/** The pools of a php-fpm that PHP has not named. */
function poolsOf(host: Host, { fpm, version = '' }: TargetPhp): readonly PoolLine[] {
  return readPools(host, fpm ?? [`php-fpm${version}`])
}

/** The version of a PHP as in the names of its programs, e.g. `8.4`; undefined if unknown. */
export function versionOf({ versionId }: PhpFacts): string | undefined {
  if (versionId === undefined) return undefined
  return `${Math.floor(versionId / 10_000)}.${Math.floor(versionId / 100) % 100}`
}

function hasVersion(facts: PhpFacts, wanted: string): boolean {
  const [major, minor] = wanted.split('.')
  const short = minor === undefined ? major : `${major}.${minor}`
  return `${versionOf(facts)}.`.startsWith(`${short}.`)
}

function wantsManaged({ chosen, options }: Choice): boolean {
  return chosen?.store.wantsManaged(chosen.endpoint, options) === true
}

function dependsOnPhp(endpoint: Endpoint | undefined): boolean {
  return (
    endpoint !== undefined && (['sentinel', 'pool'].includes(endpoint.topology.value) || endpoint.tls.value)
  )
}

/** A plan that shows what it would be, and why a start with it fails, also to those who do not ask the Sentinels. */
function spoil(plan: Plan, finding: Finding): Plan {
  return { ...plan, findings: [finding, ...plan.findings] }
}

/** Removes the store from a plan because of another error, which comes before the other findings. */
function refuse(plan: Plan, finding: Finding): Plan {
  return planFiles(finding.title, [finding, ...plan.findings])
}

function silent({ command: [file] }: PhpStart, status: number): Finding {
  return {
    id: 'php.silent',
    level: 'error',
    title: `PHP did not say which master the Sentinels name (exit status ${status})`,
    from: file,
    fix: `see whether this works: ${file} --ri redis`,
  }
}

/** Why the Sentinels of an endpoint name no master. */
export function masterUnknown(
  endpoint: Endpoint,
  { phpredis, failures }: Pick<PhpFacts, 'phpredis' | 'failures'>,
): Finding {
  const name = endpoint.sentinel?.masterName
  const passwords = [endpoint.password, endpoint.sentinel?.password].flatMap(
    (password) => password?.value ?? [],
  )
  return {
    id: 'redis.master',
    level: 'error',
    title:
      phpredis === undefined
        ? `PHP has no extension redis, with which it asks the Sentinels for the master ${name?.value}`
        : `no Sentinel names a master ${name?.value}: ${makeMask(passwords)(joinFirst(failures, '; ')) || 'they gave no answer in time'}`,
    from: `${name?.from ?? ''} and the Sentinels ${formatServers(endpoint)}`,
    fix:
      phpredis === undefined
        ? 'install the extension redis'
        : `ask one of them: redis-cli -p PORT sentinel get-master-addr-by-name ${name?.value}`,
  }
}
