import { type Host, listIfAllowed, readIfAllowed } from '../../host/host.ts'
import type { FpmPlaces, PoolLine } from '../answers.ts'

/** How deep php-fpm lets files include others. */
const DEEPEST = 5

const LINE =
  /^\s*(?:\[([^\]]+)\]|(?:(php(?:_admin)?_(?:value|flag))\s*\[\s*([^\]]+)\]|([a-z_.]+))\s*=\s*(.*))$/

/**
 * Reads the settings of a php-fpm's pools, in its order, and its own settings as the pool `global`.
 *
 * It reads the files instead of asking php-fpm, because `php-fpm -tt` writes all of them into its log. It leaves
 * out the variables that pools give to PHP, `env[…]`, which are often secret.
 */
export function readPools(host: Host, command: readonly string[], told?: FpmPlaces): readonly PoolLine[] {
  if (command.length === 0) return []
  const { files, prefix } = placesOf(host, command, told)
  const main = files.find((path) => readIfAllowed(host, path) !== undefined)
  return main === undefined ? [] : readConfiguration(host, main, prefix)
}

function readConfiguration(host: Host, main: string, prefix: string): readonly PoolLine[] {
  let pool = ''
  const read = (path: string, depth: number): readonly PoolLine[] =>
    (readIfAllowed(host, path) ?? '').split('\n').flatMap((line, i) => {
      const match = LINE.exec(line)
      if (match === null) return []
      const [, section, kind = '', setting, own, written = ''] = match
      if (section !== undefined) {
        pool = section.trim()
        return []
      }
      const value = readValue(written, host, pool)
      if (own === 'include')
        return depth >= DEEPEST
          ? []
          : glob(host, absolute(value, prefix)).flatMap((file) => read(file, depth + 1))
      return [{ pool, kind, name: setting ?? own ?? '', value, from: `${path}:${i + 1}` }]
    })
  return read(main, 1)
}

/** A value as php-fpm gets it from PHP's ini parser. */
function readValue(written: string, { env }: Host, pool: string): string {
  const [, double, single, bare = ''] = /^(?:"([^"]*)"|'([^']*)'|([^;]*))/.exec(written) ?? []
  const value = double ?? single ?? bare.trim()
  const expanded =
    single === undefined ? value.replace(/\$\{([^}]+)\}/g, (_, name) => env[name] ?? '') : value
  return expanded.replaceAll('$pool', pool)
}

function placesOf(
  host: Host,
  [program = '', ...args]: readonly string[],
  told: FpmPlaces | undefined,
): FpmPlaces {
  const real = host.realPath(program) ?? program
  // A php-fpm that was built for its own directory has sbin and etc there.
  const own = real.startsWith('/') ? real.replace(/\/[^/]*\/[^/]*$/, '') : '/usr/local'
  const prefix = optionIn(args, '-p', '--prefix')
  const file = optionIn(args, '-y', '--fpm-config')
  if (file !== undefined) return { files: [file], prefix: prefix ?? told?.prefix ?? own }
  if (prefix !== undefined) return { files: [`${prefix}/etc/php-fpm.conf`], prefix }
  const debian = /php-fpm([0-9.]+)$/.exec(real)?.[1]
  const usual = ['/usr/local/etc', `/etc/php/${debian}/fpm`, '/etc'].map((path) => `${path}/php-fpm.conf`)
  return { files: [`${own}/etc/php-fpm.conf`, ...(told?.files ?? usual)], prefix: told?.prefix ?? own }
}

/** The value of an option, written `-y FILE`, `-yFILE`, `--fpm-config FILE` or `--fpm-config=FILE`. */
function optionIn(args: readonly string[], short: string, long: string): string | undefined {
  const found = args.flatMap((word, i) => {
    if (word === short || word === long) return args[i + 1] ?? []
    if (word.startsWith(`${long}=`)) return word.slice(long.length + 1)
    return word.startsWith(short) && !word.startsWith('--') ? word.slice(short.length) : []
  })
  return found.at(-1)
}

function absolute(path: string, prefix: string): string {
  return path.startsWith('/') ? path : `${prefix}/${path}`
}

/** The files that a pattern of glob(3) matches, sorted. */
function glob(host: Host, pattern: string): readonly string[] {
  const parts = pattern.split('/').filter((part) => part !== '')
  return parts.reduce<readonly string[]>(
    (paths, part) => {
      if (!/[*?[]/.test(part)) return paths.map((path) => `${path}/${part}`)
      const matching = new RegExp(
        `^${part
          .replace(/[.+^${}()|\\]/g, '\\$&')
          .replace(/\*/g, '.*')
          .replace(/\?/g, '.')
          .replace(/\[!/g, '[^')}$`,
      )
      const isShown = (name: string) => part.startsWith('.') || !name.startsWith('.')
      return paths.flatMap((path) =>
        listIfAllowed(host, path)
          .filter((name) => isShown(name) && matching.test(name))
          .map((name) => `${path}/${name}`),
      )
    },
    [''],
  )
}
