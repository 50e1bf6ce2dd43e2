import type { Host } from '../host/host.ts'
import { type PhpStart, startOf } from '../php/ask.ts'
import { findServingApache } from '../php/web/apache-module.ts'
import { recognisePlatform } from '../platforms/platform.ts'
import { findCloudFoundryHome } from './cloudfoundry/home.ts'
import { cnbHome } from './cnb/home.ts'
import { containerHome, isUnderExec } from './container/home.ts'
import { phpOf } from './container/php-of.ts'
import { findStarted } from './container/started.ts'
import type { Home } from './home.ts'
import { machineHome } from './machine/home.ts'

/** The home that `explain` and `doctor` examine, and how they ask its PHP with its present ini files. */
export interface FoundHome {
  readonly home: Home
  readonly php: PhpStart
  /** How to start php-fpm; empty for none, undefined to look for that of the same version. */
  readonly fpm: readonly string[] | undefined
}

/**
 * Finds the PHP of php_buildpack, or takes the one that the flags `php` and `fpm` name, else `running`, the PHP of a running
 * container, else PHP in Apache or the one in PATH.
 */
export function findHome(host: Host, flags: Readonly<Record<string, string>>, running?: PhpStart): FoundHome {
  const given = flags.fpm === undefined ? undefined : flags.fpm === 'none' ? [] : [flags.fpm]
  const found = findCloudFoundryHome(host)
  const { phpHome } = found
  if (phpHome !== undefined && flags.php === undefined) {
    const { root } = phpHome
    return {
      home: { ...found, appDirectory: flags.app ?? found.appDirectory },
      php: startOf(`${root}/bin/php`),
      fpm: given ?? found.php.fpm,
    }
  }
  const php = flags.php !== undefined ? startOf(flags.php) : findPhp(host, given, running)
  const fpm = php.isApache === true ? [] : given
  const home = homeOf(host, flags.app ?? '.', php)
  return { home: { ...home, php: { ...home.php, fpm } }, php, fpm }
}

function findPhp(host: Host, fpm: FoundHome['fpm'], running: PhpStart | undefined): PhpStart {
  if (fpm !== undefined) return phpOf(host, findStarted(host, fpm))
  return running ?? findServingApache(host) ?? startOf()
}

function homeOf(host: Host, app: string, php: PhpStart): Home {
  const { id } = recognisePlatform(host)
  const filesDirectory = '.'
  if (id === 'cloudfoundry') {
    const { advice } = findCloudFoundryHome(host)
    return { ...containerHome(host, { app, filesDirectory, php }), setsVariables: true, advice }
  }
  if (id === 'cnb') return cnbHome(host, app, filesDirectory, php)
  const machine = machineHome(host, { app, filesDirectory, php })
  if (id === 'local') return machine
  const container = containerHome(host, { app, filesDirectory, php })
  // Without exec the settings are in one of PHP's other ini files, as on a machine.
  return isUnderExec(host) ? container : { ...container, php: machine.php }
}
