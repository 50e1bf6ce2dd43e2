import { type Finding, hasError } from '../core/finding.ts'
import { revealIfSecret } from '../core/secret.ts'
import { type Prepared, prepare } from '../homes/home.ts'
import { INI_NAME } from '../homes/ini-file.ts'
import { isReloadDue, markReload, unmarkReload } from '../homes/reload-mark.ts'
import { writeFiles } from '../homes/write-files.ts'
import { type Host, HostError } from '../host/host.ts'
import type { Patience } from '../php/look-around.ts'
import { controlTimeoutSeconds, findMasters, type Master, parentOf, reload } from '../php/php-fpm.ts'
import { chooseEndpoint } from '../plan/plan.ts'
import { fileFinding, renderFindings, summarise } from '../plan/report.ts'
import { readInput } from '../platforms/input.ts'
import { makeComplaint } from './complaint.ts'
import { tryOut } from './trial.ts'
import type { WatchedHome } from './watched.ts'

const TICK_SECONDS = 1
/** Who writes a binding in place may not be done yet. */
const SETTLE_SECONDS = 0.2
const SENTINELS_SECONDS = 2
/** Settings that the store refuses are tried again after so many seconds, then twice as many, up to the second. */
const RETRY_SECONDS = [2, 60] as const
/** A php-fpm that takes longer to start has read the new settings itself. */
const RELOAD_SECONDS = 60
/** The Sentinels are asked again in two seconds. */
const PATIENCE: Patience = { all: 1, each: 1 }

const KEPT = 'php-sessions: PHP keeps the settings that it has\n'

/**
 * Follows what is bound: writes new settings once they have been tried, and makes php-fpm read them.
 *
 * Looks every second, until the process that started us is gone. Settings that cannot work are not written.
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

/** Makes what looks once and does what is due; it remembers in between. */
export function makeWatcher(host: Host, home: WatchedHome): () => void {
  const complaint = makeComplaint(host)
  const tellPhpFpm = makeReloader(host, home)
  let seen = ''
  let left: string | undefined
  let due = 0
  let retry: number = RETRY_SECONDS[0]

  const follow = () => {
    const input = readInput(home.host, home.appDirectory)
    const bound = JSON.stringify(input)
    if (bound !== seen) {
      host.sleep(SETTLE_SECONDS)
      if (JSON.stringify(readInput(home.host, home.appDirectory)) !== bound) return
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
      complaint.end(`php-sessions: that is over: ${summarise(prepared.plan)}\n`)
    } else {
      complaint.about(trouble.text)
      if (!trouble.isFinal) {
        due = host.now() + retry
        retry = Math.min(2 * retry, RETRY_SECONDS[1])
      }
    }
    // A start script that rewrites what it has read may do so over ours.
    left = readIni(host, home)
  }
  return () => {
    try {
      follow()
      tellPhpFpm()
    } catch (error) {
      // A disk that is full may have room again.
      if (!(error instanceof HostError)) throw error
      complaint.about(renderFindings([fileFinding(error)]) + KEPT)
      seen = ''
    }
  }
}

function readIni(host: Host, { iniDirectory }: WatchedHome): string | undefined {
  return host.readFile(`${iniDirectory}/${INI_NAME}`)
}

/** Whether our files say already what they would be made to say. */
function isInUse(host: Host, home: WatchedHome, prepared: Prepared): boolean {
  const { plan } = prepared
  const written = readIni(host, home)
  if (plan.planned === undefined) return written === undefined && !hasError(plan.findings)
  if (written === undefined || !home.renderInis(prepared).includes(written)) return false
  return plan.files.every(({ path, text }) => host.readBytes(path)?.endsWith(revealIfSecret(text)) === true)
}

/** What there is against using this; final is what only another binding can end. */
function findTrouble(home: WatchedHome, prepared: Prepared) {
  const { plan, findings } = prepared
  if (hasError(findings))
    return { text: renderFindings(findings.filter(({ level }) => level === 'error')) + KEPT, isFinal: true }
  if (plan.planned === undefined) return { text: renderFindings([gone(plan.because)]) + KEPT, isFinal: true }
  const said = trySettings(home, prepared)
  return said === undefined
    ? undefined
    : { text: renderFindings([refused(plan.planned.service, said)]) + KEPT, isFinal: false }
}

/** With certificates of its own, since those in use stay as they are until then. */
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
  const { plan, framework, findings } = prepared
  markReload(host, home.iniDirectory)
  home.write(prepared)
  host.err(renderFindings(findings))
  host.err(`php-sessions: new settings: ${summarise(plan)}\n`)
  if (framework.variables.length > 0)
    host.err("php-sessions: the framework's variables are those of the start: restart the app\n")
}

function gone(because: string): Finding {
  return {
    id: 'watch.gone',
    level: 'warn',
    title: `the session store is not bound any more: ${because}`,
    from: 'what is bound now',
    fix: 'bind it again; to keep sessions in local files, restart the app',
  }
}

function refused(service: string, said: string): Finding {
  return {
    id: 'watch.refused',
    level: 'error',
    title: `no session can be kept by the new settings of ${service}: ${said}`,
    from: 'a session that PHP tried to write by them',
    fix: 'see whether the server takes the new credentials: php-sessions doctor',
  }
}

/**
 * Makes what tells php-fpm, when it is due, and gives up on a php-fpm that is not there. Whether a reload will cut
 * requests off is said when php-fpm has started, before there is a reload.
 */
function makeReloader(host: Host, home: WatchedHome): () => void {
  const checked = new Set<number>()
  const checkUntil = host.now() + RELOAD_SECONDS
  let giveUp: number | undefined
  return () => {
    const isDue = isReloadDue(host, home.iniDirectory)
    if (!isDue && (checked.size > 0 || host.now() >= checkUntil)) return
    const masters = findMasters(host).filter(home.isOurs)
    for (const master of masters) if (!checked.has(master.pid)) checkTimeout(host, master)
    for (const { pid } of masters) checked.add(pid)
    if (!isDue) return
    giveUp ??= host.now() + RELOAD_SECONDS
    const told = masters.filter((master) => reload(host, master))
    for (const { pid } of told) host.err(`php-sessions: php-fpm, process ${pid}, reads them\n`)
    const isAbsent = masters.length === 0 && host.now() >= giveUp
    if (isAbsent) host.err('php-sessions: no php-fpm runs here; what starts from now on reads them\n')
    if (!isAbsent && (masters.length === 0 || told.length < masters.length)) return
    unmarkReload(host, home.iniDirectory)
    giveUp = undefined
  }
}

function checkTimeout(host: Host, master: Master): void {
  if (controlTimeoutSeconds(host, master) !== 0) return
  host.err(
    renderFindings([
      {
        id: 'watch.timeout',
        level: 'warn',
        title: 'php-fpm cuts off the requests that run when it reloads',
        from: `process_control_timeout is 0 in ${master.configuration}`,
        fix: 'write process_control_timeout = 8s below [global] there',
      },
    ]),
  )
}
