import type { StoreName } from '../../core/endpoint.ts'
import { Secret } from '../../core/secret.ts'
import { words } from '../../core/text.ts'
import type { App } from '../app.ts'
import { type BoundServer, NEVER } from '../bound.ts'
import { versionIsBelow } from '../composer.ts'
import type { AppVariable } from '../framework.ts'
import { dotenv, readAppSetting } from '../judge.ts'

/** The settings as lines for people, without the password. */
export function laravelLines(server: BoundServer): readonly string[] {
  return variablesFor(server).map(
    ({ name, value }) => `${name}=${value instanceof Secret ? '<password>' : quoteDotenv(value)}`,
  )
}

/**
 * The variables that make Laravel keep its sessions in the bound service: those that the `config` files of its
 * skeletons read. Set all or none: with half of them Laravel would log in to one server with the password of another.
 */
export function laravelEnvironment(
  app: App,
  server: BoundServer,
  version: string | undefined,
): readonly AppVariable[] {
  const candidates = candidatesFor(server)
  const isPossible =
    // Behind Sentinels every start names the current master, which a file could not.
    !server.needs.some((need) => need !== 'sentinel' && NEVER.includes(need)) &&
    !OWN_CHOICE.some((name) => isTaken(app, name, undefined)) &&
    !candidates.some(({ name, value }) => isTaken(app, name, value)) &&
    // Once the configuration is cached, Laravel does not read the environment.
    app.find('bootstrap/cache/config.php') === undefined &&
    reads(app, 'session', ['SESSION_DRIVER']) &&
    CAN_USE[server.store](app, server, version)
  return isPossible ? variablesFor(server) : []
}

/** With one of these variables the app itself names its connection or its server. */
const OWN_CHOICE = ['SESSION_CONNECTION', 'SESSION_STORE', 'REDIS_URL']
/** Values that a `.env` copies from Laravel's `.env.example`: nobody has chosen them. */
const SKELETON = ['', ...words('null file 127.0.0.1 localhost 6379 11211 0')]

function isTaken(app: App, name: string, wanted: string | Secret | undefined): boolean {
  const variable = app.env[name]
  if (variable !== undefined && variable !== '') return variable !== wanted
  const written = readAppSetting(app, { places: [dotenv(name)] })?.value ?? ''
  return written !== wanted && !SKELETON.includes(written)
}

/** Whether a file of the configuration reads these variables. Without the file, as Laravel 11 allows, Laravel does. */
function reads(app: App, file: string, names: readonly string[]): boolean {
  const lines = app.lines(`config/${file}.php`)
  return lines.length === 0 || names.every((name) => lines.some(({ text }) => text.includes(`'${name}'`)))
}

/** Whether the app's configuration can use a service of this store. */
const CAN_USE: Readonly<
  Record<StoreName, (app: App, server: BoundServer, version: string | undefined) => boolean>
> = {
  redis: canUseRedis,
  memcached: (app, { user }) =>
    reads(app, 'cache', ['MEMCACHED_HOST', ...(user === undefined ? [] : ['MEMCACHED_PASSWORD'])]),
}

function canUseRedis(app: App, { user, tlsHost, host }: BoundServer, version: string | undefined): boolean {
  // Before Laravel 5.8 the file named the client itself, and Predis does not understand `tls://host`.
  const isPhpredis = reads(app, 'database', ['REDIS_CLIENT'])
  const isPredis = app.packages.has('predis/predis') && tlsHost === host
  const knowsUser = reads(app, 'database', ['REDIS_USERNAME']) && versionIsBelow(version, '10') !== true
  return (
    reads(app, 'database', ['REDIS_HOST', 'REDIS_PASSWORD', 'REDIS_PORT']) &&
    (isPhpredis || isPredis) &&
    (user === undefined || knowsUser)
  )
}

function variablesFor(server: BoundServer): readonly AppVariable[] {
  return candidatesFor(server).filter((variable): variable is AppVariable => variable.value !== undefined)
}

/** A variable to set; one without a value must stay unset. */
type LaravelVariable = Omit<AppVariable, 'value'> & { readonly value: AppVariable['value'] | undefined }

function candidatesFor(server: BoundServer): readonly LaravelVariable[] {
  const driver: LaravelVariable = {
    name: 'SESSION_DRIVER',
    value: server.store,
    because: "Laravel has its own session drivers and does not use PHP's session handler",
  }
  return [driver, ...SERVER_VARIABLES[server.store](server)]
}

const SERVER_VARIABLES: Readonly<Record<StoreName, (server: BoundServer) => readonly LaravelVariable[]>> = {
  redis: redisVariables,
  memcached: memcachedVariables,
}

function redisVariables({
  tlsHost,
  host,
  port,
  user,
  password,
  database,
  prefix,
}: BoundServer): readonly LaravelVariable[] {
  return [
    { name: 'REDIS_CLIENT', value: 'phpredis', because: 'the extension that PHP loads for the sessions' },
    {
      name: 'REDIS_HOST',
      value: tlsHost,
      because:
        tlsHost === host
          ? 'the host of the service'
          : 'the host of the service; tls:// because the service uses TLS',
    },
    { name: 'REDIS_PORT', value: String(port), because: 'its port' },
    { name: 'REDIS_USERNAME', value: user, because: 'its user' },
    { name: 'REDIS_PASSWORD', value: envSecret(password), because: 'its password' },
    {
      name: 'REDIS_DB',
      value: database === 0 ? undefined : String(database),
      because:
        'its database; without SESSION_CONNECTION the sessions are in the database of the default connection',
    },
    { name: 'REDIS_PREFIX', value: prefix, because: 'PHP_SESSIONS_PREFIX' },
  ]
}

function memcachedVariables({ host, port, user, password, needs }: BoundServer): readonly LaravelVariable[] {
  const because = needs.includes('pool')
    ? 'the first server of the pool, because the variables can name only one'
    : 'the host of the service'
  return [
    { name: 'MEMCACHED_HOST', value: host, because },
    { name: 'MEMCACHED_PORT', value: String(port), because: 'its port' },
    { name: 'MEMCACHED_USERNAME', value: user, because: 'its user' },
    { name: 'MEMCACHED_PASSWORD', value: envSecret(password), because: 'its password' },
  ]
}

/** Laravel's `env()` turns such texts into `true` or `null` and removes quotes. A second pair of quotes prevents that. */
function envSecret(password: Secret | undefined): Secret | undefined {
  const text = password?.reveal() ?? ''
  const isChanged = /^\(?(true|false|empty|null)\)?$/i.test(text) || /^(['"])(.*)\1$/.test(text)
  return isChanged ? new Secret(`"${text}"`) : password
}

function quoteDotenv(value: string): string {
  return /^[\w./:@-]*$/.test(value) ? value : `"${value.replace(/["\\$]/g, '\\$&')}"`
}
