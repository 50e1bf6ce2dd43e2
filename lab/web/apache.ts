import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machinePhp } from '../php/installed.ts'
import { type Program, type Unavailable, writeProgram } from '../processes/program.ts'
import { type Unpacked, unpackPackages } from '../unpacked.ts'

/** Debian's Apache with mod_php, in which PHP is the machine's. */
export async function unpackApache(): Promise<Unpacked | Unavailable> {
  const { version } = machinePhp()
  return unpackPackages('apache', [
    ...['apache2', 'apache2-bin', 'apache2-data', `libapache2-mod-php${version}`],
    ...['libapr1t64|libapr1', 'libaprutil1t64|libaprutil1'],
  ])
}

export interface ApacheOptions {
  readonly port: number
  /** Where its files and its pages are, which its workers must be able to read. */
  readonly directory: string
  /** What `User` and `Group` are; those of envvars when absent. */
  readonly user?: string
  /** Further lines of its configuration. */
  readonly lines?: string
  /** Pages by name: PHP code. */
  readonly pages: Readonly<Record<string, string>>
}

/**
 * Writes the configuration of an Apache into a directory, and a `bin` with `apache2` and Debian's `apache2ctl` for it.
 * Gives the environment in which these are to be started.
 */
export function writeApache({ directory: at, libraryPath }: Unpacked, options: ApacheOptions) {
  const { directory, pages } = options
  const place = (name: string) => join(directory, name)
  for (const name of ['bin', 'apache', 'run', 'www']) mkdirSync(place(name), { recursive: true })
  for (const [name, code] of Object.entries(pages)) writeFileSync(place(`www/${name}.php`), `<?php ${code}`)
  const run = (file: string): ReturnType<Program> => ({
    file: join(at, file),
    args: [],
    env: { LD_LIBRARY_PATH: libraryPath },
  })
  writeProgram(place('bin/apache2'), run('usr/sbin/apache2'))
  writeProgram(place('bin/apache2ctl'), run('usr/sbin/apache2ctl'))
  writeFileSync(place('apache/envvars'), envvars(place('run')))
  writeFileSync(place('apache/apache2.conf'), configuration(at, options))
  return {
    APACHE_CONFDIR: place('apache'),
    APACHE_HTTPD: place('bin/apache2'),
    PATH: `${place('bin')}:${process.env.PATH}`,
    // Its own directory is that of an installed package. The modules are the same.
    PHP_INI_SCAN_DIR: execFileSync('php', ['-r', 'echo PHP_CONFIG_FILE_SCAN_DIR;'], { encoding: 'utf8' }),
  }
}

function envvars(run: string): string {
  const variables = { RUN_USER: 'www-data', RUN_GROUP: 'www-data', RUN_DIR: run, LOCK_DIR: run, LOG_DIR: run }
  const lines = Object.entries(variables).map(([name, value]) => `export APACHE_${name}=${value}\n`)
  return `unset HOME\n${lines.join('')}`
}

function configuration(at: string, { port, directory, user, lines = '' }: ApacheOptions): string {
  const modules = ['mpm_prefork', 'authz_core', 'dir', 'mime']
  const php = `php${machinePhp().version}`
  return `
ServerName localhost
ServerRoot "${at}/usr/lib/apache2"
Listen 127.0.0.1:${port}
PidFile "${directory}/run/apache2.pid"
DefaultRuntimeDir "${directory}/run"
ErrorLog "${directory}/run/error.log"
User ${user ?? '${APACHE_RUN_USER}'}
Group ${user ?? '${APACHE_RUN_GROUP}'}
${modules.map((name) => `LoadModule ${name}_module modules/mod_${name}.so`).join('\n')}
LoadModule php_module modules/lib${php}.so
TypesConfig /dev/null
StartServers 1
DocumentRoot "${directory}/www"
<Directory "${directory}/www">
  Require all granted
  AllowOverride All
</Directory>
AddHandler application/x-httpd-php .php
${lines}`
}
