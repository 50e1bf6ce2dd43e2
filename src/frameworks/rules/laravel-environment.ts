import { Secret } from '../../core/secret.ts'
import type { App } from '../app.ts'
import { type BoundServer, NEVER } from '../bound.ts'
import { isBelow } from '../composer.ts'
import type { Variable } from '../framework.ts'
import { dotenv, readSetting } from '../judge.ts'

/** The settings for people, without the password. */
export function laravelLines(server: BoundServer): readonly string[] {
  return variablesFor(server).map(
    ({ name, value }) => `${name}=${value instanceof Secret ? '<password>' : quoteDotenv(value)}`,
  )
}

/**
 * What makes Laravel keep its sessions in the bound service: the variables that the `config` files of its skeletons
 * read. All or none: with half of them it would log in to one server with the password of another.
 */
export function laravelEnvironment(
  app: App,
  server: BoundServer,
  version: string | undefined,
): readonly Variable[] {
  const candidates = candidatesFor(server)
  const isPossible =
    // Behind Sentinels every start names the master anew, as no file could.
    !server.needs.some((need) => need !== 'sentinel' && NEVER.includes(need)) &&
    !OWN_CHOICE.some((name) => isTaken(app, name, undefined)) &&
    !candidates.some(({ name, value }) => isTaken(app, name, value)) &&
    // With the configuration cached nobody reads the environment.
    app.find('bootstrap/cache/config.php') === undefined &&
    reads(app, 'session', ['SESSION_DRIVER']) &&
    (server.store === 'redis'
      ? canUseRedis(app, server, version)
      : reads(app, 'cache', ['MEMCACHED_HOST', ...(server.user === undefined ? [] : ['MEMCACHED_PASSWORD'])]))
  return isPossible ? variablesFor(server) : []
}

/** With one of these set, the app says itself which connection or which server it means. */
const OWN_CHOICE = ['SESSION_CONNECTION', 'SESSION_STORE', 'REDIS_URL']
/** What a `.env` has because Laravel's `.env.example` has it: no choice that anybody has made. */
const SKELETON = ['', 'null', 'file', '127.0.0.1', 'localhost', '6379', '11211', '0']

function isTaken(app: App, name: string, wanted: string | Secret | undefined): boolean {
  const variable = app.env[name]
  if (variable !== undefined && variable !== '') return variable !== wanted
  const written = readSetting(app, { places: [dotenv(name)] })?.value ?? ''
  return written !== wanted && !SKELETON.includes(written)
}

/** Whether a file of the configuration reads these variables; without the file, as Laravel 11 allows, it does. */
function reads(app: App, file: string, names: readonly string[]): boolean {
  const lines = app.lines(`config/${file}.php`)
  return lines.length === 0 || names.every((name) => lines.some(({ text }) => text.includes(`'${name}'`)))
}

function canUseRedis(app: App, { user, tlsHost, host }: BoundServer, version: string | undefined): boolean {
  // Before 5.8 the client was written into the file, and Predis takes no `tls://host`.
  const isPhpredis = reads(app, 'database', ['REDIS_CLIENT'])
  const isPredis = app.packages.has('predis/predis') && tlsHost === host
  const knowsUser = reads(app, 'database', ['REDIS_USERNAME']) && isBelow(version, '10') !== true
  return (
    reads(app, 'database', ['REDIS_HOST', 'REDIS_PASSWORD', 'REDIS_PORT']) &&
    (isPhpredis || isPredis) &&
    (user === undefined || knowsUser)
  )
}

function variablesFor(server: BoundServer): readonly Variable[] {
  return candidatesFor(server).filter((variable): variable is Variable => variable.value !== undefined)
}

/** A variable that is to be set, or, without a value, to be left unset. */
type Candidate = Omit<Variable, 'value'> & { readonly value: Variable['value'] | undefined }

function candidatesFor(server: BoundServer): readonly Candidate[] {
  const driver: Candidate = {
    name: 'SESSION_DRIVER',
    value: server.store,
    because: 'Laravel does not use the session handler of PHP, it has drivers of its own',
  }
  return [driver, ...(server.store === 'redis' ? redisVariables(server) : memcachedVariables(server))]
}

function redisVariables({
  tlsHost,
  host,
  port,
  user,
  password,
  database,
  prefix,
}: BoundServer): readonly Candidate[] {
  return [
    { name: 'REDIS_CLIENT', value: 'phpredis', because: 'the extension that is loaded for the sessions' },
    {
      name: 'REDIS_HOST',
      value: tlsHost,
      because:
        tlsHost === host ? 'the host of the service' : 'the host of the service; tls:// as it wants TLS',
    },
    { name: 'REDIS_PORT', value: String(port), because: 'its port' },
    { name: 'REDIS_USERNAME', value: user, because: 'its user' },
    { name: 'REDIS_PASSWORD', value: envSecret(password), because: 'its password' },
    {
      name: 'REDIS_DB',
      value: database === 0 ? undefined : String(database),
      because: 'its database; without SESSION_CONNECTION the sessions are in that of the default connection',
    },
    { name: 'REDIS_PREFIX', value: prefix, because: 'PHP_SESSIONS_PREFIX' },
  ]
}

function memcachedVariables({ host, port, user, password, needs }: BoundServer): readonly Candidate[] {
  const because = needs.includes('pool')
    ? 'the first server of the pool, as the variables can name only one'
    : 'the host of the service'
  return [
    { name: 'MEMCACHED_HOST', value: host, because },
    { name: 'MEMCACHED_PORT', value: String(port), because: 'its port' },
    { name: 'MEMCACHED_USERNAME', value: user, because: 'its user' },
    { name: 'MEMCACHED_PASSWORD', value: envSecret(password), because: 'its password' },
  ]
}

/** Laravel's `env()` makes `true` or `null` of such texts and takes off quotes: one more pair around keeps them. */
function envSecret(password: Secret | undefined): Secret | undefined {
  const text = password?.reveal() ?? ''
  const isChanged = /^\(?(true|false|empty|null)\)?$/i.test(text) || /^(['"])(.*)\1$/.test(text)
  return isChanged ? new Secret(`"${text}"`) : password
}

function quoteDotenv(value: string): string {
  return /^[\w./:@-]*$/.test(value) ? value : `"${value.replace(/["\\$]/g, '\\$&')}"`
}
