import { type Host, isDirectoryIfAllowed, listIfAllowed } from '../../host/host.ts'
import { type PhpStart, startOf } from '../ask.ts'
import { pidsOf, titleOf } from './php-fpm.ts'

/** The same as `findApacheModule`, unless a php-fpm runs, which then serves the app. */
export function findServingApache(host: Host): PhpStart | undefined {
  const module = findApacheModule(host)
  const isFpm = () => pidsOf(host).some((pid) => titleOf(host, pid).startsWith('php-fpm: master'))
  return module === undefined || isFpm() ? undefined : module
}

/**
 * Finds PHP as an enabled module of Apache, where Debian and the images of PHP have it: a start of PHP of its version, with
 * its ini files.
 */
export function findApacheModule(host: Host): PhpStart | undefined {
  const enabled = listIfAllowed(host, `${host.env.APACHE_CONFDIR || '/etc/apache2'}/mods-enabled`)
  const version = enabled
    .map((name) => /^php([0-9.]*)\.load$/.exec(name)?.[1])
    .find((found) => found !== undefined)
  return version === undefined ? undefined : apacheModuleOf(host, version)
}

/** Debian's module, of a version such as `8.2`, has ini files of its own; in the images of PHP it shares the command line's. */
export function apacheModuleOf(host: Host, version: string): PhpStart {
  const directory = `/etc/php/${version}/apache2`
  if (version === '' || !isDirectoryIfAllowed(host, directory)) return { ...startOf(), isApache: true }
  return {
    command: [`php${version}`, '-c', directory],
    env: scanInstead(host, `${directory}/conf.d`),
    isApache: true,
  }
}

/** An empty element stands for the directory that the PHP was built for; an empty variable, for none. */
function scanInstead({ env }: Host, directory: string): PhpStart['env'] {
  const { PHP_INI_SCAN_DIR: scanned } = env
  if (scanned === '') return {}
  const directories = (scanned ?? '').split(':').map((path) => path || directory)
  return { PHP_INI_SCAN_DIR: directories.join(':') }
}
