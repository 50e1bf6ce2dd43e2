import type { Sourced } from '../core/binding.ts'
import type { Host } from '../host/host.ts'
import type { PhpCommand } from '../php/look-around.ts'
import { type ReadPlan, readPlan } from '../php/read-plan.ts'
import { findPhpHome } from './cloudfoundry/php.ts'

/** The app, the plan for it, and the PHP that will serve it. */
export interface Target {
  readonly appDirectory: string
  readonly read: ReadPlan
  readonly isCloudFoundry: boolean
  /** The `auto_prepend_file` of an ini file of php_buildpack's PHP that is read after ours. */
  readonly laterPrepend: Sourced<string> | undefined
  /** How to start PHP on the command line. */
  readonly php: readonly string[]
  /** The same with the extension redis and without ini files. */
  readonly bare: PhpCommand
  /** How to start php-fpm; empty for none, undefined to look for that of the same version. */
  readonly fpm: readonly string[] | undefined
}

/** Finds the PHP of php_buildpack, or takes the one that the flags `php` and `fpm` name, else that in PATH. */
export function findTarget(host: Host, flags: Readonly<Record<string, string>>): Target {
  const home = flags.php === undefined ? findPhpHome(host) : undefined
  const appDirectory = flags.app ?? (home === undefined ? '.' : (host.env.HOME ?? '.'))
  const read = readPlan(host, appDirectory, { php: home?.php, directory: home?.filesDirectory })
  const php = flags.php ?? 'php'
  const given = flags.fpm === undefined ? undefined : flags.fpm === 'none' ? [] : [flags.fpm]
  if (home === undefined)
    return {
      appDirectory,
      read,
      isCloudFoundry: false,
      laterPrepend: undefined,
      php: [php],
      bare: [php],
      fpm: given,
    }
  const root = home.phpIni.path.replace(/\/etc\/php\.ini$/, '')
  return {
    appDirectory,
    read,
    isCloudFoundry: true,
    laterPrepend: home.laterPrepend,
    php: [`${root}/bin/php`],
    bare: home.command,
    fpm: given ?? [`${root}/sbin/php-fpm`, '-y', `${root}/etc/php-fpm.conf`],
  }
}
