import type { Host } from '../../host/host.ts'
import type { PhpStart } from '../ask.ts'
import type { ApacheModule } from './apache-module.ts'
import { directoriesOf, type Web } from './web.ts'

/** Starts PHP on the command line with its own ini files, or with those of Apache's module. */
export function startForSettings(
  host: Host,
  php: readonly string[],
  apache: ApacheModule | undefined,
): PhpStart {
  if (apache === undefined) return { command: php, env: {} }
  const { command, directory } = apache
  if (directory === undefined) return { command, env: {} }
  // An empty element stands for the directory that the module was built for, which is not that of the command line.
  const scanned = (host.env.PHP_INI_SCAN_DIR ?? '').split(':').map((path) => path || `${directory}/conf.d`)
  return { command, env: { PHP_INI_SCAN_DIR: scanned.join(':') } }
}

/** Starts PHP on the command line with the ini files that the PHP which serves the app reads. */
export function startAsWeb(
  host: Host,
  php: readonly string[],
  apache: ApacheModule | undefined,
  web: Web,
): PhpStart {
  if (web.isApache) return startForSettings(host, php, apache)
  if (!web.isFpm) return { command: php, env: {} }
  const main = web.loaded ?? web.path ?? '/nowhere'
  return {
    command: [...php, '-c', main],
    env: { PHP_INI_SCAN_DIR: [...new Set(directoriesOf(web))].join(':') },
  }
}
