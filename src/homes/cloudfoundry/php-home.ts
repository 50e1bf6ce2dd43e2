import { DEFAULT_PHP, type Php } from '../../core/php.ts'
import { type Host, isDirectoryIfAllowed } from '../../host/host.ts'
import { fileOf, type SettingLine } from '../../php/answers.ts'
import type { PhpStart } from '../../php/ask.ts'
import { type IniFile, linesOf } from '../../php/ini-lines.ts'
import { KEEPING_SETTINGS } from '../../php/look-around.ts'
import { INI_NAME } from '../ini-file.ts'

/** A PHP that php_buildpack has laid out in the container. */
export interface PhpHome {
  /** The directory with its bin and etc. */
  readonly root: string
  readonly php: Php
  /** Starts this PHP without any ini file, and with those of these extensions that it has. */
  startWith(extensions: readonly string[]): PhpStart
  /** The main configuration file. It is private to this container, and php_buildpack edits it at every start, too. */
  readonly phpIni: { readonly path: string; readonly bytes: string }
  /** The directory of ini files that PHP is made to scan; absent where php_buildpack 4 made none. */
  readonly scanDirectory: string | undefined
  /** php-sessions' own directory, for an ini without another place and for files that must not be rewritten. */
  readonly ownDirectory: string
  /** Where the files go that the ini names. */
  readonly filesDirectory: string
  /** The ini file that loads extensions: PHP reads it after all others. */
  readonly extensionsPath: string
  /** php.ini and the app's own ini files in the scanned directory, in the order in which PHP reads them. */
  readonly inis: readonly IniFile[]
  /** The settings of its ini files that decide whether the managed handler runs. */
  readonly lines: readonly SettingLine[]
  /** Whether an ini file is read after that of php-sessions, and so wins. */
  readonly isReadLater: (path: string) => boolean
  readonly extensionDirectory: string
  /** The names of the extensions that can be loaded. */
  readonly extensions: readonly string[]
  /** php_buildpack 4 rewrites the files below its etc at every start: `@@` becomes `@`. */
  readonly isRewritten: boolean
}

/** Finds PHP where php_buildpack puts it: version 5 below DEPS_DIR, version 4 below HOME. */
export function findPhpHome(host: Host): PhpHome | undefined {
  const { DEPS_DIR: deps, HOME: home } = host.env
  const supplied = deps === undefined ? [] : host.listDirectory(deps).map((index) => `${deps}/${index}/php`)
  // After running Composer, version 5 also leaves a php below HOME, which serves nothing.
  const root = supplied.find((path) => host.isDirectory(`${path}/etc`))
  if (root !== undefined) return readPhpHome(host, root, false)
  // In other homes HOME may belong to another user.
  return home !== undefined && isDirectoryIfAllowed(host, `${home}/php/etc`)
    ? readPhpHome(host, `${home}/php`, true)
    : undefined
}

function readPhpHome(host: Host, root: string, isRewritten: boolean): PhpHome {
  const etc = `${root}/etc`
  const phpIni = { path: `${etc}/php.ini`, bytes: host.readBytes(`${etc}/php.ini`) ?? '' }
  const scanDirectory = `${etc}/php.ini.d`
  const files = readIniFiles(host, scanDirectory)
  const inis = [phpIni, ...files]
  const isReadLater = (path: string) =>
    path.startsWith(`${scanDirectory}/`) && path > `${scanDirectory}/${INI_NAME}`
  const set = linesOf(inis, [...KEEPING_SETTINGS, LIMIT])
  const lines = set
    .filter(({ name }) => name !== LIMIT)
    .map((line) => ({ ...line, value: expand(line.value, host, isRewritten) }))
  // Whether PHP lets the managed handler be installed depends on it.
  const uploads = lines.findLast(({ name }) => name === 'session.upload_progress.enabled')
  const limit = Number(set.findLast(({ name }) => name === LIMIT)?.value ?? DEFAULT_PHP.maxExecutionSeconds)
  const extensionDirectory = findExtensionDirectory(host, `${root}/lib/php/extensions`)
  const api = Number(/[0-9]+$/.exec(extensionDirectory)?.[0] ?? PHP_8_1_API)
  const hasScanned = host.isDirectory(scanDirectory)
  const ownDirectory = `${host.env.TMPDIR ?? '/tmp'}/php-sessions`
  const extensions = host
    .listDirectory(extensionDirectory)
    .filter((file) => file.endsWith('.so'))
    .map((file) => file.slice(0, -'.so'.length))
  return {
    root,
    php: {
      ...DEFAULT_PHP,
      major: api < PHP_7_API ? 5 : DEFAULT_PHP.major,
      maxExecutionSeconds: Math.max(limit, 0),
      // PHP reads an empty value and `none` as no file.
      prependFile: lines.findLast((line) => line.name === 'auto_prepend_file' && !isReadLater(fileOf(line))),
      runsManaged: api >= PHP_8_1_API,
    },
    startWith: (wanted) => ({
      command: [
        `${root}/bin/php`,
        ...['-n', '-d', `extension_dir=${extensionDirectory}`],
        ...(uploads === undefined ? [] : ['-d', `${uploads.name}=${uploads.value}`]),
        ...wanted.filter((name) => extensions.includes(name)).flatMap((name) => ['-d', `extension=${name}`]),
      ],
      env: {},
    }),
    phpIni,
    scanDirectory: hasScanned ? scanDirectory : undefined,
    ownDirectory,
    filesDirectory: hasScanned && !isRewritten ? scanDirectory : ownDirectory,
    extensionsPath: `${hasScanned ? scanDirectory : ownDirectory}/${nameAfter(files.at(-1)?.path)}`,
    inis,
    lines,
    isReadLater,
    extensionDirectory,
    extensions,
    isRewritten,
  }
}

const LIMIT = 'max_execution_time'
const EXTENSIONS_NAME = 'zz-php-sessions.ini'
const OF_EXTENSIONS = /^(zz|.*\.ini)-php-sessions\.ini$/

/** A name for the file with the extensions that sorts after the app's last ini file. */
function nameAfter(last: string | undefined): string {
  const name = last?.slice(last.lastIndexOf('/') + 1) ?? ''
  return name < EXTENSIONS_NAME ? EXTENSIONS_NAME : `${name}-php-sessions.ini`
}

function readIniFiles(host: Host, directory: string): readonly IniFile[] {
  return host
    .listDirectory(directory)
    .filter((name) => name.endsWith('.ini') && name !== INI_NAME && !OF_EXTENSIONS.test(name))
    .toSorted()
    .map((name) => ({
      path: `${directory}/${name}`,
      bytes: host.readBytes(`${directory}/${name}`) ?? '',
    }))
}

/** The value as PHP will read it: PHP fills in variables, and the start of php_buildpack 4 fills in others before. */
function expand(value: string, { env }: Host, isRewritten: boolean): string {
  const bare = value.replace(/^'(.*)'$/, '$1')
  const filled = isRewritten ? bare.replace(/@\{(\w+)\}/g, (all, name) => env[name] ?? all) : bare
  return filled.replace(/\$\{(\w+)\}/g, (_, name) => env[name] ?? '')
}

/** The extension APIs of PHP 7.0 and 8.1, as they stand in the name of the directory of the extensions. */
const PHP_7_API = 20151012
const PHP_8_1_API = 20210902

function findExtensionDirectory(host: Host, parent: string): string {
  const name = host.listDirectory(parent).find((entry) => /^no-debug-(non-)?zts-[0-9]+$/.test(entry))
  return name === undefined ? parent : `${parent}/${name}`
}
