import type { Finding } from '../../core/finding.ts'
import type { Host } from '../../host/host.ts'
import { type PhpStart, startOf } from '../../php/ask.ts'
import type { CompletePlan } from '../../php/complete.ts'
import type { Advice, Home, PhpCheck } from '../home.ts'
import { checkExtension, phpToScan, placeOfPhp } from '../own-directory.ts'
import { OUR_USER } from './workers.ts'

/** What is known of a container whose command runs under `exec`. */
export interface ContainerOptions {
  readonly app: string
  /** Where the files of a plan go, an absolute path. */
  readonly filesDirectory: string
  readonly php?: PhpStart
  /** How to start php-fpm; absent to look for that of the PHP. */
  readonly fpm?: readonly string[] | undefined
  /** The command that serves the app, where it is known. */
  readonly served?: readonly string[] | undefined
  /** Finds who reads the secrets. */
  readonly findReaders?: (completed: CompletePlan) => PhpCheck
}

/** Examines the PHP of a container. A missing or silent PHP is not an error: the command may start another. */
export function containerHome(
  host: Host,
  { app, filesDirectory, php = startOf(), fpm, served, findReaders = () => OUR_USER }: ContainerOptions,
): Home {
  return {
    host,
    appDirectory: app,
    php: { ...phpToScan(host, app, php, fpm), served },
    filesDirectory,
    setsVariables: false,
    advice: isUnderExec(host) ? EXEC_ADVICE : FILE_ADVICE,
    check: (completed) => {
      const { findings, ...readers } = findReaders(completed)
      const extension = checkExtension(completed, php, (name) => getExtension(name))
      return {
        findings: [...extension, ...findSilence(completed, php), ...findOther(completed), ...findings],
        ...readers,
      }
    },
  }
}

/**
 * Without an answer, nobody has checked whether PHP has the extension; the command may start a PHP other than php.
 */
function findSilence({ plan, facts }: CompletePlan, php: PhpStart): readonly Finding[] {
  if (plan.planned === undefined || facts !== undefined) return []
  const [file] = php.command
  return [
    {
      id: 'php.silent',
      level: 'warn',
      title: `${file} does not answer, so nobody knows whether the PHP that runs has the extension ${plan.planned.store.name}`,
      from: placeOfPhp(php),
      fix: `see whether this works: ${file} --version; if PHP has another name here, link it as php in PATH`,
    },
  ]
}

/** Only a PHP of its version can tell which extensions a php-fpm has and which ini files it reads. */
function findOther({ plan, facts }: CompletePlan): readonly Finding[] {
  const otherFpm = facts?.otherFpm
  if (plan.planned === undefined || otherFpm === undefined) return []
  const { file, version } = otherFpm
  const short = /^[0-9]+\.[0-9]+/.exec(version)?.[0] ?? version
  return [
    {
      id: 'php.other',
      level: 'warn',
      title: `php-fpm is PHP ${version}, but the PHP that answers is another version: nobody knows whether this php-fpm has the extension ${plan.planned.store.name}`,
      from: file,
      fix: `install PHP ${short} for the command line, too, named php${short} and in PATH`,
    },
  ]
}

/** Whether the process that asks was started by `exec`, which has PHP scan a directory of its own. */
export function isUnderExec({ env }: Pick<Host, 'env'>): boolean {
  return (env.PHP_INI_SCAN_DIR ?? '').split(':').some(isOfStart)
}

/** Whether a path is a directory that an exec or a launch has made for its PHP. */
export function isOfStart(path: string): boolean {
  return /\/php-sessions-[^/]+(\/(first|last))?$/.test(path)
}

const EXEC_ADVICE: Advice = {
  isManual: false,
  writeSettings: () => 'restart the container: php-sessions exec writes the settings at every start',
  getExtension,
}

/** A container may have its settings in a file, too. */
const FILE_ADVICE: Advice = {
  isManual: true,
  writeSettings: (iniFile, isFpm) =>
    `php-sessions ini --output ${iniFile}${isFpm ? ', then restart php-fpm' : ''}, or run the container's command under php-sessions exec`,
  getExtension,
}

function getExtension(name: string): string {
  return `in the Dockerfile: install-php-extensions ${name}, or pecl install ${name} and docker-php-ext-enable ${name}`
}
