import { type Finding, hasError } from '../../core/finding.ts'
import { DEFAULT_PHP, type Php } from '../../core/php.ts'
import { type Host, listIfAllowed, readIfAllowed } from '../../host/host.ts'
import type { SettingLine } from '../../php/answers.ts'
import { type PhpStart, startOf } from '../../php/ask.ts'
import { type CompletePlan, versionOf } from '../../php/complete.ts'
import { linesOf } from '../../php/ini-lines.ts'
import { findWorkers, OUR_USER } from '../container/workers.ts'
import type { Advice, Home, PhpCheck } from '../home.ts'
import { INI_NAME } from '../ini-file.ts'
import { placeOfPhp } from '../own-directory.ts'

/** What is known of a machine whose PHP reads a file that `ini --output` has written. */
export interface MachineOptions {
  readonly app: string
  /** Where the files of a plan go, an absolute path. */
  readonly filesDirectory: string
  readonly php?: PhpStart
  /** How to start php-fpm; absent to look for that of the PHP. */
  readonly fpm?: readonly string[] | undefined
  /** The version of the PHP that will read the file, e.g. `8.2`, if it may differ from `php`. */
  readonly version?: string | undefined
  /** The file's path; if unknown, the file counts as the first of its directory. */
  readonly output?: string | undefined
}

/** Looks at the PHP of a machine, where the settings are in a file among its other ini files. */
export function machineHome(host: Host, options: MachineOptions): Home {
  const { app, filesDirectory, php = startOf(), fpm, version, output } = options
  return {
    host,
    appDirectory: app,
    php: {
      start: php,
      known: version === undefined ? DEFAULT_PHP : knownOf(version),
      isKnown: false,
      version,
      isReadLater: (path) => isReadAfter(path, output),
      fpm,
      lines: output === undefined ? [] : linesBeside(host, output),
    },
    filesDirectory,
    setsVariables: false,
    advice: ADVICE,
    check: (completed) => {
      const server = php.isApache === true ? APACHE : PHP_FPM
      const { group, findings } = output === undefined ? OUR_USER : findReaders(host, completed, server)
      return { group, findings: [...findUnloaded(completed, php), ...findings] }
    },
  }
}

const ADVICE: Advice = {
  isManual: true,
  writeSettings: (iniFile, isFpm) =>
    `php-sessions ini --output ${iniFile}${isFpm ? ', then restart php-fpm' : ''}`,
  getExtension: (name, phpVersion) =>
    `apt-get install php${phpVersion}-${name}, or in a PHP image: install-php-extensions ${name}`,
}

function knownOf(version: string): Php {
  const [major = DEFAULT_PHP.major, minor] = version.split('.').map(Number)
  return {
    ...DEFAULT_PHP,
    major,
    runsManaged: major > 8 || (major === 8 && (minor === undefined || minor > 0)),
  }
}

/** The settings of the other ini files in our directory: PHP on the command line may read others. */
function linesBeside(host: Host, output: string): readonly SettingLine[] {
  const directory = parentOf(output)
  const files = listIfAllowed(host, directory)
    .filter((name) => name.endsWith('.ini') && name !== nameIn(output))
    .map((name) => ({
      path: `${directory}/${name}`,
      bytes: readIfAllowed(host, `${directory}/${name}`) ?? '',
    }))
  return linesOf(files)
}

/** PHP reads php.ini first, then the files of a directory by their names. */
function isReadAfter(path: string, output: string | undefined): boolean {
  if (output === undefined) return nameIn(path) !== 'php.ini' && nameIn(path) > INI_NAME
  return parentOf(path) === parentOf(output) && nameIn(path) > nameIn(output)
}

/** The directory that a path is in. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash === -1 ? '.' : path.slice(0, slash)
}

function nameIn(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function findUnloaded({ plan, facts }: CompletePlan, php: PhpStart): readonly Finding[] {
  const name = plan.planned?.store.name
  if (name === undefined || facts === undefined || facts.loaded.includes(name)) return []
  if (facts.loadable.includes(name)) return [unloaded(name, placeOfPhp(php))]
  const fix = ADVICE.getExtension(name, versionOf(facts) ?? '')
  return [{ ...unloaded(name, placeOfPhp(php)), id: MISSING, fix }]
}

/** Whether a warning says that no page can start a session. */
export function isUnloaded({ id, level }: Finding): boolean {
  return level === 'warn' && (id === MISSING || id === UNLOADED)
}

/** A warning, since the settings may be written before the extension is installed. */
export function unloaded(extension: string, from: string): Finding {
  return {
    id: UNLOADED,
    level: 'warn',
    title: `no page can start a session with these settings: PHP has not loaded the extension ${extension}`,
    from,
    fix: `run phpenmod ${extension}, or add extension=${extension} to an ini file of this PHP`,
  }
}

const MISSING = 'php.extension'
const UNLOADED = 'php.extension-off'
const PHP_FPM = { command: ['php-fpm'], name: 'php-fpm' }
const APACHE = { command: ['apache2'], name: 'Apache' }

/** The workers of a server: settings in a file are for those. */
function findReaders(
  host: Host,
  completed: CompletePlan,
  { command, name }: { readonly command: readonly string[]; readonly name: string },
): PhpCheck {
  const { plan } = completed
  const found = findWorkers(host, command, completed)
  if (!hasError(found.findings)) return found
  const path = plan.files.at(-1)?.path ?? ''
  return {
    group: undefined,
    findings: [
      {
        id: 'ini.workers',
        level: 'warn',
        title: `only root can read the credentials, because no ${name} here names the group of PHP's workers`,
        from: path,
        fix: `give the file to the group of that user: chgrp www-data ${path} && chmod 640 ${path}`,
      },
    ],
  }
}
