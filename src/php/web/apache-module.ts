import { DEFAULT_COMMAND } from '../../core/php.ts'
import { type Host, isDirectoryIfAllowed, listIfAllowed } from '../../host/host.ts'
import { pidsOf, titleOf } from './php-fpm.ts'

/** PHP as a module of Apache. */
export interface ApacheModule {
  /** Starts PHP of its version on the command line. */
  readonly command: readonly string[]
  /** The directory of its php.ini and conf.d; undefined where it shares those of the command line. */
  readonly directory: string | undefined
}

/**
 * Finds PHP as an enabled module of Apache, where Debian and the images of PHP have it. Undefined where there is none, or
 * where a php-fpm runs, which then serves the app.
 */
export function findApacheModule(host: Host): ApacheModule | undefined {
  const enabled = listIfAllowed(host, `${host.env.APACHE_CONFDIR || '/etc/apache2'}/mods-enabled`)
  const version = enabled
    .map((name) => /^php([0-9.]*)\.load$/.exec(name)?.[1])
    .find((found) => found !== undefined)
  if (version === undefined || pidsOf(host).some((pid) => titleOf(host, pid).startsWith('php-fpm: master')))
    return undefined
  const directory = `/etc/php/${version}/apache2`
  const isSeparate = version !== '' && isDirectoryIfAllowed(host, directory)
  return isSeparate
    ? { command: [`php${version}`, '-c', directory], directory }
    : { command: [DEFAULT_COMMAND], directory: undefined }
}
