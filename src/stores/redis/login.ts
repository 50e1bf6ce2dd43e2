import type { Uri } from '../../core/address.ts'
import type { Sourced } from '../../core/binding.ts'
import type { Credentials } from '../../core/credentials/credentials.ts'
import { DEFAULT_USER, type Endpoint } from '../../core/endpoint.ts'
import { uriPart } from '../read-servers.ts'

/** How to log in to a Redis server or a Sentinel. */
export type RedisLogin = Pick<Endpoint, 'user' | 'password'>

/** The user to log in as. A user in a URI beside a password field is often a placeholder that cannot log in. */
export function readUser(credentials: Credentials, uri: Sourced<Uri> | undefined): RedisLogin['user'] {
  const inUri = credentials.has('password') ? undefined : uriUser(uri)
  return dropDefaultUser(credentials.text('user') ?? inUri)
}

/** Servers before Redis 6 refuse any user name. */
export function dropDefaultUser(user: Sourced<string> | undefined): RedisLogin['user'] {
  return user?.value === DEFAULT_USER ? undefined : user
}

/** The password, not yet a secret, for comparison with other fields. */
export function readPassword(
  credentials: Credentials,
  uri: Sourced<Uri> | undefined,
): Sourced<string> | undefined {
  return credentials.text('password') ?? uriPart(uri, uriPassword)
}

/** In redis-py's URIs the password is in the query, and only the user is in front of the `@`. */
function uriPassword({ password, user, query }: Uri): string | undefined {
  const inQuery = query.password ?? query.auth
  return user === undefined ? (inQuery ?? password) : password || inQuery
}

/** Names that brokers write into a URI that must have a user, for servers that know no users. */
const PLACEHOLDERS = ['', 'h', 'x', 'rediscloud', 'redistogo', 'no-user-name-for-redis']

function uriUser(uri: Sourced<Uri> | undefined): Sourced<string> | undefined {
  const user = uriPart(
    uri,
    ({ user: name, password, query }) =>
      name ?? query.username ?? (query.password === undefined ? undefined : password),
  )
  // Compose's servers are older than Redis users, whatever its URIs say.
  const isCompose =
    uri?.value.hosts.some(({ host = '' }) => /\.(dblayer|composedb)\.com$/.test(host)) === true
  const isPlaceholder =
    PLACEHOLDERS.includes(user?.value ?? '') && uri?.value.scheme.startsWith('redis') === true
  return isPlaceholder || isCompose ? undefined : user
}
