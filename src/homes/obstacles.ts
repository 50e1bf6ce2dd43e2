import type { Finding } from '../core/finding.ts'
import { readsAsOn } from '../core/formats/php-ini.ts'
import type { Host } from '../host/host.ts'
import { fileOf, type SettingLine } from '../php/answers.ts'
import type { Known, TargetPhp } from '../php/complete.ts'
import { definitionsOf, servedBy } from '../php/layers.ts'
import { DECISIVE_SETTINGS, type DecisiveSetting } from '../php/look-around.ts'
import { findHandlerClass, findPageSettings, runsManaged } from '../php/web/page-settings.ts'
import { findServerSettings } from '../php/web/web-server.ts'
import type { Choice, ChosenStore } from '../plan/plan.ts'
import { previousPart } from '../plan/previous.ts'
import { describeBypass } from '../stores/handler/managed.ts'

/** A line with a setting, and whether scripts cannot change it. */
interface DecisiveLine extends SettingLine {
  readonly isFixed: boolean
}

/** What the rules know besides a line. */
interface Surroundings {
  readonly host: Host
  /** Where the files of the managed handler go. */
  readonly directory: string
  readonly locksSettings: boolean
  readonly needed: Needed
}

/** What the managed handler of a plan needs of PHP. */
export interface Needed {
  /** The values of `session.save_handler` that it replaces. */
  readonly saveHandlers: readonly string[]
  /** Makes its PHP code, with the parts for a previous store. */
  text(): string
  /** The functions that it calls only for features that this plan does not use. */
  readonly unused: RegExp
}

/** What the managed handler needs, for encryption and compression only if they are on. */
export function neededBy(
  { store, endpoint }: ChosenStore,
  { previous, options: { PHP_SESSIONS_COMPRESSION: method } }: Pick<Choice, 'previous' | 'options'>,
): Needed {
  const unused = [
    ...(endpoint.encryption === undefined ? ['sodium_'] : []),
    ...Object.entries(COMPRESSING).flatMap(([name, begin]) => (name === method ? [] : [begin])),
  ]
  return {
    saveHandlers: store.managed.saveHandlers,
    text: () => store.managed.text(previous && previousPart(previous)),
    unused: new RegExp(`^(${unused.join('|')})`, 'i'),
  }
}

/** The prefixes of each method's functions. */
const COMPRESSING = { gzip: 'gz', zstd: 'zstd_', lz4: 'lz4_' }

type Obstacle = Omit<Finding, 'level' | 'from'>

/** What each setting means for the managed handler; undefined if it has no effect. */
const RULES: Readonly<
  Record<DecisiveSetting | 'chroot', (line: DecisiveLine, around: Surroundings) => Obstacle | undefined>
> = {
  auto_prepend_file: ({ value }, { host }) =>
    runsManaged(host, value) ? undefined : { id: 'handler.bypassed', ...describeBypass(value) },
  'session.save_handler': ({ value, isFixed }, { needed: { saveHandlers } }) => {
    const isReplaced = saveHandlers.includes(value)
    if (!isFixed && isReplaced) return undefined
    return blocked(
      isReplaced
        ? `session.save_handler is ${value} there and cannot be changed at run time`
        : `session.save_handler is ${value} there, so these pages do not keep their sessions in the bound store`,
      'remove that line',
    )
  },
  'session.upload_progress.enabled': ({ value }, { locksSettings }) =>
    readsAsOn(value) && locksSettings ? blocked(...LOCKED) : undefined,
  'session.auto_start': ({ value }) =>
    readsAsOn(value)
      ? blocked(
          'session.auto_start is on, so PHP starts each session before the handler is installed',
          'remove that line, and call session_start() where a session is needed',
        )
      : undefined,
  disable_functions: ({ value }, { needed }) => {
    const text = needed.text()
    const [disabled] = wordsOf(value).filter((name) => !needed.unused.test(name) && isCalled(text, name))
    return disabled === undefined
      ? undefined
      : blocked(`it calls ${disabled}, which disable_functions forbids`, `remove ${disabled} from that line`)
  },
  disable_classes: ({ value }, { needed }) => {
    const text = needed.text()
    const [disabled] = wordsOf(value).filter((name) => isNamed(text, name))
    return disabled === undefined
      ? undefined
      : blocked(
          `it needs the class ${disabled}, which disable_classes forbids`,
          `remove ${disabled} from that line`,
        )
  },
  open_basedir: ({ value }, { directory }) =>
    allows(value, directory)
      ? undefined
      : blocked(
          `its files are in ${directory}, which open_basedir does not include`,
          `add :${directory}/ to open_basedir, or set TMPDIR to a directory in it`,
        ),
  chroot: ({ value }, { directory }) =>
    value === ''
      ? undefined
      : blocked(
          `a pool has the root directory ${value}, which has no ${directory}`,
          'remove chroot from the pool',
        ),
}

const LOCKED = [
  'this PHP (with the fix of CVE-2026-115560) lets nobody change settings of sessions at run time while session.upload_progress.enabled is on',
  'set session.upload_progress.enabled = Off',
] as const

const EXTENDED: Obstacle = {
  id: 'handler.bypassed',
  title:
    "the app has a class that extends or wraps SessionHandler, which PHP puts on top of its own handler: PHP's own handler keeps the sessions of the whole app",
  fix: 'remove that class if the app does not use it, or set PHP_SESSIONS_HANDLER=native',
}

function blocked(why: string, fix: string): Obstacle {
  return {
    id: 'handler.blocked',
    title: `the managed handler cannot run, and PHP's own handler keeps the sessions: ${why}`,
    fix,
  }
}

/**
 * Finds what would keep the managed handler from running in the pages of an app. Then PHP's own handler must keep the
 * sessions of the whole app, with the password in its save_path, which the managed one leaves out.
 */
export function findObstacles(
  host: Host,
  appDirectory: string,
  php: TargetPhp,
  directory: string,
  needed: Needed,
  { facts, pools }: Known,
): readonly Finding[] {
  const locksSettings = facts?.locksSettings === true
  const around = { host, directory, locksSettings, needed }
  const lines = [
    ...findPageSettings(host, appDirectory, DECISIVE_SETTINGS, servedBy(php)).map(asChangeable),
    ...findServerSettings(host, appDirectory, DECISIVE_SETTINGS, servedBy(php)).map((line) => ({
      ...line,
      isFixed: line.isAdmin,
    })),
    ...definitionsOf(php, facts, DECISIVE_SETTINGS).map(asChangeable),
    ...pools.map((line) => ({ ...line, isFixed: line.kind.startsWith('php_admin_') })),
    ...DECISIVE_SETTINGS.flatMap((name) => lastLine([...php.lines, ...(facts?.lines ?? [])], name, php)),
  ]
  const found = lines.flatMap((line): Finding[] => {
    const obstacle = isDecisive(line.name) ? RULES[line.name](line, around) : undefined
    return obstacle === undefined ? [] : [{ ...obstacle, level: 'warn', from: line.from }]
  })
  // PHP may have it on by default, without a line.
  const isLockedByDefault =
    locksSettings &&
    !lines.some(({ name, value }) => name === 'session.upload_progress.enabled' && readsAsOn(value))
  const ownClass = findHandlerClass(host, appDirectory)
  const ownHandler: readonly Finding[] =
    ownClass === undefined ? [] : [{ ...EXTENDED, level: 'warn', from: ownClass }]
  const byDefault: Finding = { ...blocked(...LOCKED), level: 'warn', from: 'session.upload_progress.enabled' }
  return [...found, ...(isLockedByDefault ? [byDefault] : []), ...ownHandler]
}

/** The effective line of an ini file: the last one; for settings of php-sessions one that PHP reads later. */
function lastLine(
  lines: readonly SettingLine[],
  name: DecisiveSetting,
  { isReadLater }: Pick<TargetPhp, 'isReadLater'>,
): readonly DecisiveLine[] {
  const isOurs = name === 'auto_prepend_file' || name === 'session.save_handler'
  const counting = lines.filter((line) => line.name === name && (!isOurs || isReadLater(fileOf(line))))
  return counting.slice(-1).map(asChangeable)
}

/** Scripts can change most settings. */
function asChangeable(line: SettingLine): DecisiveLine {
  return { ...line, isFixed: false }
}

function wordsOf(value: string): readonly string[] {
  return value.split(/[^\w]+/).filter((word) => word !== '')
}

/** Classes that a handler does not need. */
const DISPENSABLE_CLASSES = ['redis', 'redisexception', 'sensitiveparameter', 'sessionhandler']

/** Whether a handler names a class of PHP, and needs it. */
function isNamed(text: string, name: string): boolean {
  return (
    !DISPENSABLE_CLASSES.includes(name.toLowerCase()) && new RegExp(`(?<!\\w)\\\\${name}\\b`, 'i').test(text)
  )
}

/** Functions that a handler does not need. */
const DISPENSABLE = ['fpm_get_status', 'getenv', 'gethostname', 'pcntl_fork']

/** Whether a handler calls a function of PHP, by its name or as a callable, and needs it. */
function isCalled(text: string, name: string): boolean {
  return (
    !DISPENSABLE.includes(name.toLowerCase()) &&
    new RegExp(`(?<![\\w$>:]|function )${name}\\(|'${name}'`, 'i').test(text)
  )
}

function isDecisive(name: string): name is keyof typeof RULES {
  return Object.hasOwn(RULES, name)
}

/** Whether open_basedir lets PHP read what is in a directory. */
export function allows(openBasedir: string, directory: string): boolean {
  const allowed = openBasedir === '' || openBasedir === 'none' ? ['/'] : openBasedir.split(':')
  return allowed.some((path) => `${directory}/`.startsWith(path.endsWith('/') ? path : `${path}/`))
}
