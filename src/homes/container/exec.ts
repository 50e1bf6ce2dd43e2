import { FAILED, NOT_EXECUTABLE, NOT_FOUND } from '../../core/exit-status.ts'
import type { Finding } from '../../core/finding.ts'
import { type Host, hostError } from '../../host/host.ts'
import { renderFindings } from '../../plan/report.ts'
import type { Prepared } from '../home.ts'
import {
  addToScanned,
  fillOwnDirectory,
  isBelow,
  makeOwnDirectory,
  nameOwnDirectory,
  scannedBeside,
  withoutScanning,
} from '../own-directory.ts'
import { type Environment, start } from '../start.ts'
import { containerHome, isOfStart } from './home.ts'
import { findOtherName } from './other-names.ts'
import { phpOf } from './php-of.ts'
import { findStarted } from './started.ts'
import { findUnserved } from './unserved.ts'
import { findReaders, fpmIn } from './workers.ts'

const ENOENT = 2

/**
 * Runs a command whose PHP keeps its sessions in the bound store; for containers, as PID 1.
 *
 * stdout and the exit status are those of the command; the status is 126 or 127 where it cannot be run. With an error
 * the command is not run and the status is 1; with PHP_SESSIONS_ON_ERROR=files it runs with local files instead. With
 * PHP_SESSIONS_WATCH a second process of php-sessions follows what is bound, also a store that is bound later.
 */
export function exec(given: Host, app: string, command: readonly string[]): number | Promise<number> {
  given.holdSignals()
  const directory = nameOwnDirectory(given)
  // Under another exec or a launch, the outer settings would apply if this one has none.
  const host = withoutScanning(given, isOfStart, directory)
  const started = findStarted(host, command)
  const php = phpOf(host, started)
  const home = containerHome(host, {
    app,
    filesDirectory: directory,
    php,
    fpm: fpmIn(command),
    served: command,
    findReaders: (completed) => findReaders(host, command, started, completed),
  })
  const apply = (prepared: Prepared, hasFailed: boolean) =>
    (hasFailed ? undefined : fillDirectory(host, prepared, app, directory)) ?? scanned(given, host)
  const ready = start({ ...home, apply })
  if (ready === undefined) return FAILED

  const { prepared, hasFailed, environment } = ready
  const isWatched = prepared.input.options.PHP_SESSIONS_WATCH && !hasFailed
  const group =
    prepared.group === undefined ? [] : [prepared.readsIni ? '--reader' : '--group', String(prepared.group)]
  const asked = php.isApache === true ? ['--apache'] : ['--php', php.command[0]]
  const watcher = ['watch', '--app', app, '--directory', directory, ...asked, ...group]
  const isMade = environment.PHP_INI_SCAN_DIR?.split(':').includes(directory) === true
  const tidyUp = () => {
    if (isMade) host.removeDirectory(directory)
  }
  const seen = new Set<string>()
  const served = { directory, group: prepared.readsIni ? prepared.group : undefined }
  const look = () => host.err(renderFindings(findUnserved(host, served, seen)))
  return run(host, command, environment, {
    tidyUp,
    watcher: isWatched ? watcher : undefined,
    look: isMade && prepared.plan.planned !== undefined ? look : undefined,
  })
}

/** PHP_INI_SCAN_DIR without the settings of another start. */
function scanned({ env: given }: Host, { env }: Host): Environment {
  const { PHP_INI_SCAN_DIR } = env
  return PHP_INI_SCAN_DIR === undefined || PHP_INI_SCAN_DIR === given.PHP_INI_SCAN_DIR
    ? {}
    : { PHP_INI_SCAN_DIR }
}

/** Fills the directory that PHP will scan. Where nothing is bound yet it stays empty, for the watcher. */
function fillDirectory(
  host: Host,
  prepared: Prepared,
  app: string,
  directory: string,
): Environment | undefined {
  const { plan, input } = prepared
  const isWatched = input.options.PHP_SESSIONS_WATCH
  if (plan.planned === undefined && !isWatched) return undefined
  // Workers of a php-fpm that root started run as another user. They must reach the files, but not the ini.
  const mode = plan.files.length === 0 && !isWatched ? 0o700 : 0o711
  // Who reads the ini lists the directory, too.
  const access = prepared.readsIni ? { mode: 0o751, group: prepared.group } : { mode }
  makeOwnDirectory(host, directory, access, () => {
    if (plan.planned !== undefined) fillOwnDirectory(host, prepared, directory)
  })
  const beside = scannedBeside(prepared, isWatched)
  return { PHP_INI_SCAN_DIR: addToScanned(host.env.PHP_INI_SCAN_DIR, directory, isBelow(host, app), beside) }
}

/** What php-sessions does during the command and after it. */
interface Beside {
  readonly tidyUp: () => void
  readonly watcher: readonly string[] | undefined
  readonly look: (() => void) | undefined
}

function run(
  host: Host,
  command: readonly string[],
  environment: Environment,
  { tidyUp, watcher, look }: Beside,
): number | Promise<number> {
  const end = (status: number) => {
    tidyUp()
    if (status >= 0) return status
    host.err(renderFindings([unrunnable(host, command, -status)]))
    return status === -ENOENT ? NOT_FOUND : NOT_EXECUTABLE
  }
  const ended = host.supervise(command, environment, watcher, look)
  return typeof ended === 'number' ? end(ended) : ended.then(end)
}

function unrunnable(host: Host, [file = '', ...args]: readonly string[], errno: number): Finding {
  const installed = errno === ENOENT ? findOtherName(host, file) : undefined
  return {
    id: 'exec.command',
    level: 'error',
    title: hostError('run', file, errno).message,
    from: 'the command after --',
    fix:
      installed !== undefined
        ? `${installed} is installed: php-sessions exec -- ${[installed, ...args].join(' ')}`
        : errno === ENOENT
          ? `see whether it is in PATH: command -v ${file}`
          : `look at it: ls -l ${file}`,
  }
}
