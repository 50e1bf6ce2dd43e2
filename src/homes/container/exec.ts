import { FAILED, NOT_EXECUTABLE, NOT_FOUND } from '../../core/exit-status.ts'
import type { Finding } from '../../core/finding.ts'
import { type Host, hostError } from '../../host/host.ts'
import { makeTemporary, temporaryDirectory } from '../../host/temporary.ts'
import { renderFindings } from '../../plan/report.ts'
import type { Prepared } from '../home.ts'
import { addToScanned, fillOwnDirectory, isBelow, scannedBeside } from '../own-directory.ts'
import { type Environment, start } from '../start.ts'
import { containerHome } from './home.ts'
import { findReaders, fpmIn } from './workers.ts'

const ENOENT = 2

/**
 * Runs a command whose PHP keeps its sessions in the bound store; for containers, as PID 1.
 *
 * stdout and the exit status are those of the command; the status is 126 or 127 where it cannot be run. With an error
 * the command is not run and the status is 1; with PHP_SESSIONS_ON_ERROR=files it runs with local files instead. With
 * PHP_SESSIONS_WATCH a second process of php-sessions follows what is bound, also a store that is bound later.
 */
export function exec(host: Host, app: string, command: readonly string[]): number | Promise<number> {
  host.holdSignals()
  const directory = `${temporaryDirectory(host)}/php-sessions-${host.uniqueWord()}`
  const home = containerHome(host, {
    app,
    filesDirectory: directory,
    fpm: fpmIn(command),
    findReaders: (completed) => findReaders(host, command, completed),
  })
  const apply = (prepared: Prepared, hasFailed: boolean) =>
    hasFailed ? {} : fillDirectory(host, prepared, app, directory)
  const started = start({ ...home, apply })
  if (started === undefined) return FAILED

  const { prepared, hasFailed, environment } = started
  const isWatched = prepared.input.options.PHP_SESSIONS_WATCH && !hasFailed
  const group =
    prepared.group === undefined ? [] : [prepared.readsIni ? '--reader' : '--group', String(prepared.group)]
  const watcher = ['watch', '--app', app, '--directory', directory, ...group]
  const tidyUp = () => {
    if ('PHP_INI_SCAN_DIR' in environment) host.removeDirectory(directory)
  }
  return run(host, command, environment, tidyUp, isWatched ? watcher : undefined)
}

/** Fills the directory that PHP will scan. Where nothing is bound yet it stays empty, for the watcher. */
function fillDirectory(host: Host, prepared: Prepared, app: string, directory: string): Environment {
  const { plan, input } = prepared
  const isWatched = input.options.PHP_SESSIONS_WATCH
  if (plan.planned === undefined && !isWatched) return {}
  // Workers of a php-fpm that root started run as another user. They must reach the files, but not the ini.
  const mode = plan.files.length === 0 && !isWatched ? 0o700 : 0o711
  // Who reads the ini lists the directory, too.
  const access = prepared.readsIni ? { mode: 0o751, group: prepared.group } : { mode }
  makeTemporary(host, directory, access, () => {
    if (plan.planned !== undefined) fillOwnDirectory(host, prepared, directory)
  })
  const beside = scannedBeside(prepared, isWatched)
  return { PHP_INI_SCAN_DIR: addToScanned(host.env.PHP_INI_SCAN_DIR, directory, isBelow(host, app), beside) }
}

function run(
  host: Host,
  command: readonly string[],
  environment: Environment,
  tidyUp: () => void,
  watcher: readonly string[] | undefined,
): number | Promise<number> {
  const end = (status: number) => {
    tidyUp()
    if (status >= 0) return status
    host.err(renderFindings([unrunnable(command, -status)]))
    return status === -ENOENT ? NOT_FOUND : NOT_EXECUTABLE
  }
  const ended = host.supervise(command, environment, watcher)
  return typeof ended === 'number' ? end(ended) : ended.then(end)
}

function unrunnable([file = '']: readonly string[], errno: number): Finding {
  return {
    id: 'exec.command',
    level: 'error',
    title: hostError('run', file, errno).message,
    from: 'the command after --',
    fix: errno === ENOENT ? `see whether it is in PATH: command -v ${file}` : `look at it: ls -l ${file}`,
  }
}
