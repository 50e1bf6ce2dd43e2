import type { Uri } from '../../core/address.ts'
import type { Options } from '../../core/options.ts'
import { joinWords, words } from '../../core/text.ts'
import { PHPREDIS_PREFIX } from './keys.ts'

/** A `session.save_path` of phpredis as a plain URI, or why it cannot be taken over. */
export type SavePathReading =
  | { readonly uri: Uri; readonly unused: readonly string[] }
  | { readonly refused: string; readonly fix: string }

const SCHEMES = '(?:tcp|tls|ssl|unix)'

/** What only phpredis writes into the query; `database` and time-outs are also Predis'. */
const OWN = /^(auth|weight|prefix|persistent_id|retry_interval|stream)(\[|%5b|$)/i

/** What php-sessions decides by itself. */
const UNUSED = words('timeout read_timeout persistent persistent_id retry_interval')

/**
 * Reads what phpredis would read in its own kind of address: `tcp://h:6379?auth[]=user&auth[]=password&database=3`.
 * It decodes like a form, ends a server at a blank or a comma, and ignores a user or a path in front of the query.
 * Undefined for a URI that others write.
 */
export function readPhpSavePath(text: string, options: Options): SavePathReading | undefined {
  const path = text.trim()
  const [, base = '', query = ''] = new RegExp(`^(${SCHEMES}://[^?]*)\\?(.*)$`, 's').exec(path) ?? []
  const pairs = query.split('&').filter((pair) => pair !== '')
  const isSeveral = new RegExp(`^${SCHEMES}://.*[\\s,]${SCHEMES}://`, 's').test(path)
  if (!isSeveral && !pairs.some((pair) => OWN.test(pair.split('=')[0] ?? ''))) return undefined
  if (isSeveral)
    return refuse(
      'several servers, among which phpredis distributes the sessions',
      'name one server, or the nodes of a Redis Cluster',
    )
  if (/[\s,]/.test(path))
    return refuse('a blank or a comma, where phpredis ends the address', 'write %20 or %2C instead')
  return readParts(base, pairs, options)
}

function refuse(what: string, fix: string): SavePathReading {
  return { refused: what, fix }
}

function readParts(base: string, pairs: readonly string[], options: Options): SavePathReading {
  const [, scheme = '', host, port] =
    /^(tcp|tls|ssl):\/\/(\[[^\]]*\]|[^/?#@:[\]]+)(?::([0-9]+))?\/?$/.exec(base) ?? []
  const [, socket] = /^unix:\/\/(\/[^?#@]+)$/.exec(base) ?? []
  if (host === undefined && socket === undefined)
    return refuse(
      'a user, a path or something else between the scheme and the query, which phpredis ignores',
      'write the login as auth[]=USER&auth[]=PASSWORD and the database as database=NUMBER, or all of it as redis://USER:PASSWORD@HOST:PORT/NUMBER',
    )
  const read = readParameters(pairs)
  if ('refused' in read) return read
  const problem = findProblem(read, options)
  if (problem !== undefined) return problem
  const { user, password } = loginOf(read)
  const database = read.get('database')?.[0]
  return {
    uri: {
      scheme: socket === undefined ? scheme : 'unix',
      user,
      password,
      hosts: [{ host, port }],
      path: socket?.slice(1),
      query: database === undefined ? {} : { db: database },
      fragment: undefined,
    },
    unused: UNUSED.filter((name) => read.has(name)),
  }
}

/** The values by name; a name with `[]` may have several. */
type PhpParameters = ReadonlyMap<string, readonly string[]>

const KNOWN = /^(auth(\[(user|pass|0|1|)\])?|database|prefix|weight|stream\[\w+\])$/

function readParameters(
  pairs: readonly string[],
): PhpParameters | Extract<SavePathReading, { refused: string }> {
  const read = new Map<string, string[]>()
  for (const pair of pairs) {
    const [name, value] = pair.split(/=(.*)/s).map(decodeForm)
    if (name === undefined || value?.includes('\0') === true)
      return { refused: 'a value that is not text', fix: 'use a password in UTF-8 without a NUL character' }
    if (!KNOWN.test(name) && !UNUSED.includes(name))
      return {
        refused: 'a parameter that phpredis does not know',
        fix: 'remove it; an & in a password is %26',
      }
    const values = read.get(name) ?? []
    if (values.length > 0 && name !== 'auth[]') return { refused: `${name} twice`, fix: 'write it once' }
    read.set(name, [...values, value ?? ''])
  }
  return read
}

/** Decodes like PHP's parse_str: a plus is a blank, a lone percent sign is itself. Undefined for other than UTF-8. */
function decodeForm(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' ').replace(/%(?![0-9a-f]{2})/gi, '%25'))
  } catch {
    return undefined
  }
}

/** The ways to write a login, each as the names that it has. */
const LOGINS = words('- auth auth[] auth[pass] auth[pass],auth[user] auth[0],auth[1]')

function loginOf(read: PhpParameters): {
  readonly user: string | undefined
  readonly password: string | undefined
} {
  const listed = read.get('auth[]') ?? []
  const one = (name: string) => read.get(name)?.[0]
  return {
    user: one('auth[user]') ?? one('auth[0]') ?? (listed.length === 2 ? listed[0] : undefined),
    password: one('auth') ?? one('auth[pass]') ?? one('auth[1]') ?? listed.at(-1),
  }
}

function findProblem(read: PhpParameters, options: Options): SavePathReading | undefined {
  const names = [...read.keys()].filter((name) => name.startsWith('auth'))
  const values = names.flatMap((name) => read.get(name) ?? [])
  const isLogin = LOGINS.includes(names.toSorted().join(',') || '-') && values.length <= 2
  if (!isLogin)
    return refuse('a login that phpredis does not use', 'write auth=PASSWORD or auth[]=USER&auth[]=PASSWORD')
  if (values.includes('')) return refuse('an empty login', 'remove auth, or give it a value')
  const [database] = read.get('database') ?? []
  if (database !== undefined && !/^(0|[1-9][0-9]{0,4})$/.test(database))
    return refuse('a database that is not a number', 'write database=NUMBER')
  const [weight] = read.get('weight') ?? []
  if (weight !== undefined && !/^[1-9][0-9]{0,4}$/.test(weight))
    return refuse('a weight that leaves the server out', 'remove weight')
  return findPrefix(read, options) ?? findStream(read)
}

function findPrefix(
  read: PhpParameters,
  { PHP_SESSIONS_PREFIX: wanted }: Options,
): SavePathReading | undefined {
  const [prefix] = read.get('prefix') ?? []
  if (prefix === undefined || prefix === (wanted ?? PHPREDIS_PREFIX)) return undefined
  const isPossible = /^[A-Za-z0-9.:_-]{1,100}$/.test(prefix)
  return refuse(
    'the prefix of the keys, which is a setting',
    isPossible
      ? `set PHP_SESSIONS_PREFIX=${prefix}, which keeps the existing sessions`
      : 'remove prefix and set PHP_SESSIONS_PREFIX, which may have letters, digits and any of . : _ -',
  )
}

function findStream(read: PhpParameters): SavePathReading | undefined {
  const set = [...read].filter(([name]) => name.startsWith('stream['))
  const others = set.filter(
    ([name, [value]]) => !/^stream\[verify_peer(_name)?\]$/.test(name) || value !== '1',
  )
  if (others.length === 0) return undefined
  return refuse(
    joinWords(
      others.map(([name]) => name),
      'and',
    ),
    'remove it: php-sessions always verifies certificates; give the CA as REDIS_CA_FILE or as the field cacrt, a client certificate as tls_cert and tls_key',
  )
}
