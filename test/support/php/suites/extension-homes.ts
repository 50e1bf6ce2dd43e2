import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type InstalledPhp, PHP_LIMIT } from '../../../../lab/php/installed.ts'
import { writeProgram } from '../../../../lab/processes/program.ts'
import { makeScratch } from '../../../../lab/processes/scratch.ts'
import { main } from '../../../../src/cli/main.ts'
import type { Host } from '../../../../src/host/host.ts'
import { nodeHost } from '../../../../src/host/node.ts'

/** The extensions that an app's ini files load, by file, in their order. */
export interface Layout {
  readonly 'php.ini'?: readonly string[]
  /** A file that PHP reads before the settings of php-sessions. */
  readonly early?: readonly string[]
  /** The app's own file, which PHP reads after them. */
  readonly late?: readonly string[]
}

const EVERY_FILE = ['php.ini', 'early', 'late'] as const

type Environment = Readonly<Record<string, string>>

/** A place where an app with these ini files starts. */
export interface ExtensionHome {
  /** Whether the ini files are this container's own, so that a start may mend them. */
  readonly isMended: boolean
  /** The ini files that there can be. */
  readonly files: readonly (keyof Layout)[]
  make(php: InstalledPhp, layout: Layout): Place
}

export interface Place {
  /** The variables of the app's PHP without php-sessions. */
  readonly env: Environment
  /** Starts with these variables more; gives the variables of the app's PHP then. */
  start(more: Environment): Environment
}

const lines = (names: readonly string[] = []) => names.map((name) => `extension=${name}.so\n`).join('')

/** Runs a command of php-sessions in this process; gives what it printed, and the variables that `exec` gave its command. */
function run(env: Environment, args: readonly string[]) {
  let out = ''
  let err = ''
  let given: Environment = {}
  const host: Host = {
    ...nodeHost,
    env,
    // What the app's PHP is told must not be there when php-sessions asks it.
    run: (command) => nodeHost.run({ ...command, env: { PHP_INI_SCAN_DIR: '', ...env, ...command.env } }),
    holdSignals: () => undefined,
    // The command would end at once, and exec would remove its directory.
    removeDirectory: () => undefined,
    supervise: (_command, more) => {
      given = more
      return 0
    },
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
  }
  const status = main(host, args)
  if (status !== 0) throw new Error(`${args[0]} ended with ${status}: ${err}`)
  return { out, given }
}

/** The number of its extension API, as the name of Cloud Foundry's directory of extensions ends with it. */
function apiOf(php: InstalledPhp): string {
  const { file, args, env } = php.cli(['-n', '-i'], { PATH: process.env.PATH })
  const info = execFileSync(file, args, { env, encoding: 'utf8', ...PHP_LIMIT })
  return /^PHP Extension => ([0-9]+)$/m.exec(info)?.[1] ?? ''
}

/** As php_buildpack lays it out. Its PHP has no scan directory compiled in: an empty element adds none. */
function cloudFoundry(version: 4 | 5, hasScanned: boolean): ExtensionHome {
  return {
    isMended: true,
    files: hasScanned ? EVERY_FILE : ['php.ini'],
    make: (php, layout) => {
      const directory = makeScratch('extensions')
      const root = join(directory, version === 5 ? 'deps/1/php' : 'app/php')
      const api = apiOf(php)
      const extensions = join(root, `lib/php/extensions/no-debug-non-zts-${api}`)
      for (const path of [
        dirname(extensions),
        join(root, 'etc'),
        join(directory, 'app'),
        join(directory, 'deps'),
      ])
        mkdirSync(path, { recursive: true })
      symlinkSync(php.extensionDirectory, extensions)
      const scanned = join(root, 'etc/php.ini.d')
      writeFileSync(join(root, 'etc/php.ini'), `extension_dir=${extensions}\n${lines(layout['php.ini'])}`)
      if (hasScanned) {
        mkdirSync(scanned)
        writeFileSync(join(scanned, '00-app.ini'), lines(layout.early))
        writeFileSync(join(scanned, 'zzz.ini'), lines(layout.late))
      }
      const env = { PHPRC: join(root, 'etc'), PHP_INI_SCAN_DIR: hasScanned ? scanned : '' }
      const container = { HOME: join(directory, 'app'), DEPS_DIR: join(directory, 'deps'), TMPDIR: directory }
      return {
        env,
        start: (more) => {
          const { out } = run({ ...container, ...more }, ['launch'])
          const exported = /^export PHP_INI_SCAN_DIR='(.*)'$/m.exec(out)?.[1] ?? ''
          return { ...env, PHP_INI_SCAN_DIR: hasScanned ? scanned : exported.replace(/^:/, '') }
        },
      }
    },
  }
}

/** A PHP that scans a directory of the platform, then one of the app; `scannedBy` starts it. */
function withOwnDirectory(scannedBy: (env: Environment, app: string) => Environment): ExtensionHome {
  return {
    isMended: false,
    files: EVERY_FILE,
    make: (php, layout) => {
      const directory = makeScratch('extensions')
      const at = (name: string) => join(directory, name)
      for (const path of ['bin', 'etc', 'platform', 'app/conf']) mkdirSync(at(path), { recursive: true })
      writeProgram(at('bin/php'), php.cli([], {}))
      writeFileSync(at('etc/php.ini'), lines(layout['php.ini']))
      writeFileSync(at('platform/app.ini'), lines(layout.early))
      writeFileSync(at('app/conf/app.ini'), lines(layout.late))
      const env = { PHPRC: at('etc'), PHP_INI_SCAN_DIR: `${at('platform')}:${at('app/conf')}` }
      const others = { PATH: `${at('bin')}:${process.env.PATH}`, TMPDIR: directory }
      return { env, start: (more) => ({ ...env, ...scannedBy({ ...env, ...others, ...more }, at('app')) }) }
    },
  }
}

export const EXTENSION_HOMES = {
  'php_buildpack 5': cloudFoundry(5, true),
  'php_buildpack 4': cloudFoundry(4, true),
  'php_buildpack 4 without ini files of the app': cloudFoundry(4, false),
  'an image of Cloud Native Buildpacks': withOwnDirectory((env, app) => {
    const { out } = run({ ...env, CNB_APP_DIR: app }, ['cnb-launch'])
    const scanned = /^PHP_INI_SCAN_DIR = "(.*)"$/m.exec(out)?.[1]
    return scanned === undefined ? {} : { PHP_INI_SCAN_DIR: scanned }
  }),
  'a container': withOwnDirectory((env, app) => run(env, ['exec', '--app', app, '--', 'php-fpm']).given),
} satisfies Readonly<Record<string, ExtensionHome>>
