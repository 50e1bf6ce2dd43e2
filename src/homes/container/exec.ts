import { type Finding, hasError } from '../../core/finding.ts'
import { revealIfSecret } from '../../core/secret.ts'
import { type Host, hostError } from '../../host/host.ts'
import { renderFindings, summarise } from '../../plan/report.ts'
import { describeVariables } from '../framework.ts'
import {
  addToScanned,
  checkExtension,
  fillOwnDirectory,
  isBelow,
  planOwnDirectory,
} from '../own-directory.ts'
import { findWorkers } from './workers.ts'

const ENOENT = 2
const NOT_FOUND = 127
const NOT_EXECUTABLE = 126

/**
 * Runs a command, and the PHP that it starts keeps its sessions in the bound store; for containers, as PID 1.
 *
 * stdout is the command's, and so is the exit status; 126 or 127 where it cannot be run. With an error it is not
 * run and the status is 1; PHP_SESSIONS_ON_ERROR=files runs it with local files instead. With PHP_SESSIONS_WATCH
 * a second process of ours follows what is bound; a store that is bound later is used from then on.
 */
export function exec(host: Host, app: string, command: readonly string[]): number | Promise<number> {
  host.holdSignals()
  const directory = `${host.env.TMPDIR || '/tmp'}/php-sessions-${host.uniqueWord()}`
  const { plan, options, inside, bypass, framework } = planOwnDirectory(host, app, directory, false)
  // Where PHP gave no answer, or there is none, the command may know better.
  const extension = inside?.hasAnswered ? checkExtension(inside, whereToGet) : []
  const workers = findWorkers(host, command, plan)
  const findings = [...plan.findings, ...extension, ...bypass, ...workers.findings, ...framework.findings]
  host.err(renderFindings(findings))
  if (hasError(findings)) {
    if (options.PHP_SESSIONS_ON_ERROR !== 'files') return 1
    host.err('php-sessions: PHP_SESSIONS_ON_ERROR=files: sessions are kept in local files\n')
    return run(host, command, {}, () => {})
  }
  host.err(`php-sessions: ${summarise(plan)}\n`)
  const isWatched = options.PHP_SESSIONS_WATCH
  if (inside === undefined && !isWatched) return run(host, command, {}, () => {})
  if (framework.variables.length > 0) host.err(`php-sessions: ${describeVariables(framework)}\n`)

  // The workers of a php-fpm that root has started are somebody else and must reach the files, but not the ini.
  host.makeNewDirectory(directory, plan.files.length === 0 && !isWatched ? 0o700 : 0o711)
  const remove = () => host.removeDirectory(directory)
  try {
    if (inside !== undefined) fillOwnDirectory(host, inside, directory, workers.owner)
  } catch (error) {
    remove()
    throw error
  }
  const scanned = addToScanned(host.env.PHP_INI_SCAN_DIR, directory, isBelow(host, app))
  const variables = framework.variables.map(({ name, value }) => [name, revealIfSecret(value)])
  const env = { ...Object.fromEntries(variables), PHP_INI_SCAN_DIR: scanned }
  const owner = workers.owner === undefined ? [] : ['--owner', String(workers.owner)]
  const watcher = ['watch', '--app', app, '--directory', directory, ...owner]
  return run(host, command, env, remove, isWatched ? watcher : undefined)
}

function run(
  host: Host,
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  tidyUp: () => void,
  watcher?: readonly string[],
): number | Promise<number> {
  const end = (status: number) => {
    tidyUp()
    if (status >= 0) return status
    host.err(renderFindings([unrunnable(command, -status)]))
    return status === -ENOENT ? NOT_FOUND : NOT_EXECUTABLE
  }
  const ended = host.supervise(command, env, watcher)
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

function whereToGet(extension: string): string {
  return `in the Dockerfile: install-php-extensions ${extension}, or pecl install ${extension} and docker-php-ext-enable ${extension}`
}
