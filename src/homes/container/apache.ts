import { type Host, readIfAllowed } from '../../host/host.ts'
import { type Group, groupNamed } from './accounts.ts'
import { nameOf } from './started.ts'

/** Where distributions and images have Apache's main configuration. */
const CONFIGURATIONS = [
  ...['/etc/apache2/apache2.conf', '/etc/apache2/httpd.conf'],
  ...['/etc/httpd/conf/httpd.conf', '/usr/local/apache2/conf/httpd.conf'],
]
/** The groups with which distributions start Apache. */
const USUAL = ['www-data', 'apache']

/** Whether a word of a command starts Apache. */
export function isApache(word: string): boolean {
  return /^(apache2-foreground|apache2ctl|apachectl|apache2|httpd)$/.test(nameOf(word))
}

/** The group of Apache's workers: the last `Group` of its configuration, with the variables of envvars. */
export function groupOfApache(host: Host, command: readonly string[]): readonly Group[] {
  const root = host.env.APACHE_CONFDIR ?? after(command, '-d')
  const own =
    root === undefined ? [] : [`${root}/apache2.conf`, `${root}/conf/httpd.conf`, `${root}/httpd.conf`]
  const given = after(command, '-f')
  const file = [...(given === undefined ? [] : [given]), ...own, ...CONFIGURATIONS].find(
    (path) => readIfAllowed(host, path) !== undefined,
  )
  const text = file === undefined ? '' : (readIfAllowed(host, file) ?? '')
  const named = [...text.matchAll(/^\s*Group\s+"?#?([^"\s]+)"?/gim)].at(-1)?.[1]
  const variables = variablesOf(host, root ?? '/etc/apache2')
  const written = named?.replace(/\$\{(\w+)\}/g, (_, name) => variables[name] ?? '')
  if (written !== undefined && written !== '') return [groupNamed(host, written.replace(/^#/, ''))]
  const names = [variables.APACHE_RUN_GROUP?.replace(/^#/, '') ?? [], USUAL].flat()
  const groups = names.map((name) => groupNamed(host, name))
  return groups.filter(({ gid }) => gid !== undefined).slice(0, 1)
}

/** The variables of envvars, which Debian sets and Docker's images set as defaults, applied to the environment. */
function variablesOf(host: Host, root: string): Readonly<Record<string, string | undefined>> {
  const { env } = host
  const file = env.APACHE_ENVVARS ?? `${root}/envvars`
  const text = readIfAllowed(host, file) ?? ''
  const lines = [...text.matchAll(/^[^#\n]*?(APACHE_\w+)(:?=)["']?([^"'}\s]*)/gm)]
  const set = lines.map(([, name = '', how, value]) => [name, how === ':=' ? (env[name] ?? value) : value])
  return { ...env, ...Object.fromEntries(set) }
}

function after(command: readonly string[], option: string): string | undefined {
  const at = command.indexOf(option)
  return at === -1 ? undefined : command[at + 1]
}
