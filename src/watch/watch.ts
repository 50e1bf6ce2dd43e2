import { type Finding, hasError } from '../core/finding.ts'
import { revealIfSecret } from '../core/secret.ts'
import { INI_NAME } from '../homes/cloudfoundry/php.ts'
import { isReloadDue, markReload, unmarkReload } from '../homes/reload-mark.ts'
import { writeFiles } from '../homes/write-files.ts'
import { type Host, HostError } from '../host/host.ts'
import { controlTimeoutSeconds, findMasters, type Master, parentOf, reload } from '../php/php-fpm.ts'
import type { ReadPlan } from '../php/read-plan.ts'
import { fileFinding, renderFindings, summarise } from '../plan/report.ts'
import { makeComplaint } from './complaint.ts'
import { tryOut } from './trial.ts'
import type { Candidate, Watched } from './watched.ts'

const TICK_SECONDS = 1
/** Who writes a binding in place may not be done yet. */
const SETTLE_SECONDS = 0.2
const SENTINELS_SECONDS = 2
/** Settings that the store refuses are tried again after so many seconds, then twice as many, up to the second. */
const RETRY_SECONDS = [2, 60] as const
/** A php-fpm that takes longer to start has read the new settings itself. */
const RELOAD_SECONDS = 60

const KEPT = 'php-sessions: PHP keeps the settings that it has\n'

/**
 * Follows what is bound: writes new settings once they have been tried, and makes php-fpm read them.
 *
 * Looks every second, until the process that started us is gone. Settings that cannot work are not written.
 */
export function watch(host: Host, watched: Watched): number {
  const parent = parentOf(host, 'self')
  const look = makeWatcher(host, watched)
  while (parentOf(host, 'self') === parent) {
    look()
    host.sleep(TICK_SECONDS)
  }
  return 0
}

/** Makes what looks once and does what is due; it remembers in between. */
export function makeWatcher(host: Host, watched: Watched): () => void {
  const complaint = makeComplaint(host)
  const tellPhpFpm = makeReloader(host, watched)
  let seen = ''
  let left: string | undefined
  let due = 0
  let retry: number = RETRY_SECONDS[0]

  const follow = () => {
    const read = watched.read()
    const bound = fingerprint(read)
    if (bound !== seen) {
      host.sleep(SETTLE_SECONDS)
      if (fingerprint(watched.read()) !== bound) return
      seen = bound
      retry = RETRY_SECONDS[0]
    } else if (host.now() < due && readIni(host, watched) === left) return complaint.again()

    const follows = read.plan.planned?.endpoint.sentinel !== undefined
    due = follows ? host.now() + SENTINELS_SECONDS : Number.POSITIVE_INFINITY
    const candidate = watched.prepare(watched.filesDirectory)
    const isUsed = isInUse(host, watched, candidate)
    const trouble = isUsed ? undefined : findTrouble(watched, candidate)
    if (trouble === undefined) {
      if (!isUsed) use(host, watched, candidate)
      complaint.end(`php-sessions: that is over: ${summarise(candidate.plan)}\n`)
    } else {
      complaint.about(trouble.text)
      if (!trouble.isFinal) {
        due = host.now() + retry
        retry = Math.min(2 * retry, RETRY_SECONDS[1])
      }
    }
    // A start script that rewrites what it has read may do so over ours.
    left = readIni(host, watched)
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

function fingerprint({ input }: ReadPlan): string {
  return JSON.stringify([input.bindings, input.options, input.findings])
}

function readIni(host: Host, { directory }: Watched): string | undefined {
  return host.readFile(`${directory}/${INI_NAME}`)
}

/** Whether our files say already what they would be made to say. */
function isInUse(host: Host, watched: Watched, { plan, inis }: Candidate): boolean {
  const written = readIni(host, watched)
  if (plan.planned === undefined) return written === undefined && !hasError(plan.findings)
  if (written === undefined || !inis.includes(written)) return false
  return plan.files.every(({ path, text }) => host.readBytes(path)?.endsWith(revealIfSecret(text)) === true)
}

/** What there is against using this; final is what only another binding can end. */
function findTrouble(watched: Watched, candidate: Candidate) {
  const { plan, findings } = candidate
  if (hasError(findings))
    return { text: renderFindings(findings.filter(({ level }) => level === 'error')) + KEPT, isFinal: true }
  if (plan.planned === undefined) return { text: renderFindings([gone(plan.because)]) + KEPT, isFinal: true }
  const said = tryCandidate(watched, candidate)
  return said === undefined
    ? undefined
    : { text: renderFindings([refused(plan.planned.service, said)]) + KEPT, isFinal: false }
}

/** With certificates of its own, since those in use stay as they are until then. */
function tryCandidate(watched: Watched, { plan, php }: Candidate): string | undefined {
  const { host } = watched
  if (plan.files.length === 0) return tryOut(host, plan, php)
  const directory = `${watched.directory}/trial`
  host.makeDirectory(directory, 0o700)
  try {
    const apart = watched.prepare(directory)
    writeFiles(host, apart.plan.files)
    return tryOut(host, apart.plan, php)
  } finally {
    host.removeDirectory(directory)
  }
}

function use(host: Host, watched: Watched, candidate: Candidate): void {
  markReload(host, watched.directory)
  candidate.write()
  host.err(renderFindings(candidate.findings))
  host.err(`php-sessions: new settings: ${summarise(candidate.plan)}\n`)
  if (candidate.hasVariables)
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
function makeReloader(host: Host, watched: Watched): () => void {
  const checked = new Set<number>()
  const checkUntil = host.now() + RELOAD_SECONDS
  let giveUp: number | undefined
  return () => {
    const isDue = isReloadDue(host, watched.directory)
    if (!isDue && (checked.size > 0 || host.now() >= checkUntil)) return
    const masters = findMasters(host).filter(watched.isOurs)
    for (const master of masters) if (!checked.has(master.pid)) checkTimeout(host, master)
    for (const { pid } of masters) checked.add(pid)
    if (!isDue) return
    giveUp ??= host.now() + RELOAD_SECONDS
    const told = masters.filter((master) => reload(host, master))
    for (const { pid } of told) host.err(`php-sessions: php-fpm, process ${pid}, reads them\n`)
    const isAbsent = masters.length === 0 && host.now() >= giveUp
    if (isAbsent) host.err('php-sessions: no php-fpm runs here; what starts from now on reads them\n')
    if (!isAbsent && (masters.length === 0 || told.length < masters.length)) return
    unmarkReload(host, watched.directory)
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
