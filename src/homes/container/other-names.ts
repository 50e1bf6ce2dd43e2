import { type Host, listIfAllowed } from '../../host/host.ts'
import { nameOf } from './started.ts'

/** Programs that have several names: Debian and Alpine put a version into that of PHP, and Apache has two. */
const FAMILIES = [
  /^php-fpm[0-9.]*$/,
  /^php[0-9.]*$/,
  /^(apache2|httpd|apache2-foreground)$/,
  /^(apache2ctl|apachectl)$/,
]
/** Where distributions keep servers, which PATH may lack. */
const OF_SERVERS = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/**
 * Finds the local name of a program that does not exist: a name in PATH, or else a path. Of several versions it
 * returns the last.
 */
export function findOtherName(host: Host, file: string): string | undefined {
  const family = FAMILIES.find((names) => names.test(nameOf(file)))
  if (family === undefined) return undefined
  const inPath = (host.env.PATH ?? '').split(':')
  const namesIn = (directory: string) => listIfAllowed(host, directory).filter((name) => family.test(name))
  const known = inPath.flatMap(namesIn).at(-1)
  if (known !== undefined) return known
  return OF_SERVERS.flatMap((directory) => namesIn(directory).map((name) => `${directory}/${name}`)).at(-1)
}
