import { type Finding, hasError } from '../core/finding.ts'
import type { Input } from '../core/input.ts'
import { revealIfSecret, Secret } from '../core/secret.ts'
import { summariseApp } from '../homes/framework.ts'
import { renderHanging } from '../homes/hanging.ts'
import { type Prepared, prepare } from '../homes/home.ts'
import { INI_NAME } from '../homes/ini-file.ts'
import { markReload, readReloadMark, unmarkReload } from '../homes/reload-mark.ts'
import { writeFiles } from '../homes/write-files.ts'
import { type Host, HostError } from '../host/host.ts'
import type { Patience } from '../php/look-around.ts'
import { controlTimeoutSeconds, findMasters, type Master, parentOf, reload } from '../php/web/php-fpm.ts'
import { chooseEndpoint } from '../plan/plan.ts'
import { fileFinding, renderFindings } from '../plan/report.ts'
import { readInput } from '../platforms/input.ts'
import { makeComplaint } from './complaint.ts'
import { tryOut } from './trial.ts'
import type { WatchedHome } from './watched.ts'

const TICK_SECONDS = 1
/** A program that writes a binding in place may not be done yet. */
const SETTLE_SECONDS = 0.2
const SENTINELS_SECONDS = 2
/** How long to wait before trying settings again that the store refused: at first, and at most. It doubles each time. */
const RETRY_SECONDS = [2, 60] as const
/** A php-fpm that takes longer to start has read the new settings itself. */
const RELOAD_SECONDS = 60
/** Short, because the Sentinels are asked again in two seconds. */
const PATIENCE: Patience = { all: 1, each: 1 }

const KEPT = 'php-sessions: PHP keeps its current settings\n'

/**
 * Follows what is bound: tries new settings, writes those that work, and makes php-fpm read them.
 *
 * Looks every second, until the process that started it is gone.
 */
export function watch(host: Host, home: WatchedHome): number {
  const parent = parentOf(host, 'self')
  const look = makeWatcher(host, home)
  while (parentOf(host, 'self') === parent) {
    look()
    host.sleep(TICK_SECONDS)
  }
  return 0
}

/** Makes a function that looks once and does what is due. It keeps its state between calls. */
export function makeWatcher(host: Host, home: WatchedHome): () => void {
  const complaint = makeComplaint(host)
  const tellPhpFpm = makeReloader(host, home)
  let seen = ''
  let left: string | undefined
  let due = 0
  let retry: number = RETRY_SECONDS[0]

  const follow = () => {
    const input = readInput(home.host, home.appDirectory)
    const bound = fingerprint(input)
    if (bound !== seen) {
      host.sleep(SETTLE_SECONDS)
      if (fingerprint(readInput(home.host, home.appDirectory)) !== bound) return
      seen = bound
      retry = RETRY_SECONDS[0]
    } else if (host.now() < due && readIni(host, home) === left) return complaint.again()

    const follows = chooseEndpoint(input).chosen?.endpoint.sentinel !== undefined
    due = follows ? host.now() + SENTINELS_SECONDS : Number.POSITIVE_INFINITY
    const prepared = prepare(home, PATIENCE)
    const isUsed = isInUse(host, home, prepared)
    const trouble = isUsed ? undefined : findTrouble(home, prepared)
    if (trouble === undefined) {
      if (!isUsed) use(host, home, prepared)
      complaint.end(
        `php-sessions: recovered: ${summariseApp(prepared.plan, prepared.framework, prepared.kept)}\n`,
      )
    } else {
      complaint.about(trouble.text)
      if (!trouble.isFinal) {
        due = host.now() + retry
        retry = Math.min(2 * retry, RETRY_SECONDS[1])
      }
    }
    // A start script that rewrites the ini files it has read may overwrite this one.
    left = readIni(host, home)
  }
  return () => {
    try {
      follow()
      tellPhpFpm()
    } catch (error) {
      // A full disk may have room later.
      if (!(error instanceof HostError)) throw error
      complaint.about(renderFindings([fileFinding(error)]) + KEPT)
      seen = ''
    }
  }
}

/** All that is bound and set, to be compared only; secrets in clear, since a key may be the only change. */
function fingerprint(input: Input): string {
  return JSON.stringify(input, function (this: Readonly<Record<string, unknown>>, key, value) {
    const original = this[key]
    return original instanceof Secret ? original.reveal() : value
  })
}

function readIni(host: Host, { iniDirectory }: WatchedHome): string | undefined {
  return host.readFile(`${iniDirectory}/${INI_NAME}`)
}

/** Whether the files already say what would be written. */
function isInUse(host: Host, home: WatchedHome, prepared: Prepared): boolean {
  const { plan } = prepared
  const written = readIni(host, home)
  if (plan.planned === undefined) return written === undefined && !hasError(plan.findings)
  if (written === undefined || !home.renderInis(prepared).includes(written)) return false
  return plan.files.every(({ path, text }) => host.readBytes(path)?.endsWith(revealIfSecret(text)) === true)
}

/** Finds why the prepared settings cannot be used. The trouble is final where only another binding can end it. */
function findTrouble(home: WatchedHome, prepared: Prepared) {
  const { plan, findings } = prepared
  if (hasError(findings))
    return { text: renderFindings(findings.filter(({ level }) => level === 'error')) + KEPT, isFinal: true }
  if (plan.planned === undefined)
    return { text: renderFindings([storeGone(plan.because)]) + KEPT, isFinal: true }
  const said = trySettings(home, prepared)
  return said === undefined
    ? undefined
    : { text: renderFindings([settingsRefused(plan.planned.service, said)]) + KEPT, isFinal: false }
}

/** Tries the settings with copies of their files, so that the files in use stay as they are. */
function trySettings(home: WatchedHome, prepared: Prepared): string | undefined {
  const { host } = home
  const { plan } = prepared
  const php = home.phpFor(prepared)
  if (plan.files.length === 0) return tryOut(host, plan, php)
  const directory = `${home.iniDirectory}/trial`
  host.makeDirectory(directory, 0o700)
  try {
    const apart = prepare(home, PATIENCE, directory)
    writeFiles(host, apart.plan.files)
    return tryOut(host, apart.plan, php)
  } finally {
    host.removeDirectory(directory)
  }
}

function use(host: Host, home: WatchedHome, prepared: Prepared): void {
  const { plan, framework, findings, kept, hanging } = prepared
  markReload(host, home.iniDirectory)
  home.write(prepared)
  host.err(renderFindings(findings))
  host.err(`php-sessions: new settings: ${summariseApp(plan, framework, kept)}\n${renderHanging(hanging)}`)
  if (framework.variables.length > 0)
    host.err("php-sessions: the framework's variables are still those of the last start: restart the app\n")
}

function storeGone(because: string): Finding {
  return {
    id: 'watch.gone',
    level: 'warn',
    title: `the session store is no longer bound: ${because}`,
    from: 'the services that are bound now',
    fix: 'bind it again; to keep sessions in local files, restart the app',
  }
}

function settingsRefused(service: string, said: string): Finding {
  return {
    id: 'watch.refused',
    level: 'error',
    title: `PHP cannot keep a session with the new settings of ${service}: ${said}`,
    from: 'a session that PHP tried to write with them',
    fix: 'check that the server accepts the new credentials: php-sessions doctor',
  }
}

/**
 * Makes a function that reloads php-fpm when that is due: each master once for each mark. It gives up where no php-fpm
 * is running, and on one that never handles the signal. Once php-fpm has started, it also warns where a reload would
 * cut off requests.
 */
function makeReloader(host: Host, home: WatchedHome): () => void {
  const checked = new Set<number>()
  const checkUntil = host.now() + RELOAD_SECONDS
  let due: { readonly mark: string; readonly until: number; readonly told: Set<number> } | undefined
  return () => {
    const mark = readReloadMark(host, home.iniDirectory)
    if (mark === undefined && (checked.size > 0 || host.now() >= checkUntil)) return
    const masters = findMasters(host, home.command).filter(home.isOurs)
    for (const master of masters) if (!checked.has(master.pid)) checkTimeout(host, master)
    for (const { pid } of masters) checked.add(pid)
    if (mark === undefined) return
    if (due?.mark !== mark) due = { mark, until: host.now() + RELOAD_SECONDS, told: new Set() }
    const { told, until } = due
    for (const master of masters) {
      if (told.has(master.pid) || !reload(host, master)) continue
      told.add(master.pid)
      host.err(`php-sessions: php-fpm (process ${master.pid}) reloads with the new settings\n`)
    }
    const isDone = masters.length > 0 && masters.every(({ pid }) => told.has(pid))
    if (!isDone && host.now() < until) return
    if (masters.length === 0)
      host.err(
        'php-sessions: no php-fpm is running here; PHP processes started from now on use the new settings\n',
      )
    unmarkReload(host, home.iniDirectory)
  }
}

function checkTimeout(host: Host, master: Master): void {
  if (controlTimeoutSeconds(host, master) !== 0) return
  host.err(
    renderFindings([
      {
        id: 'watch.timeout',
        level: 'warn',
        title: 'php-fpm aborts running requests when it reloads',
        from: `process_control_timeout is 0 in ${master.configuration}`,
        fix: 'set process_control_timeout = 8s below [global] there',
      },
    ]),
  )
}
