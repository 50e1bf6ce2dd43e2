import { type Service, vcapServices } from '../../../lab/bindings.ts'
import { type Directive, renderValue } from '../../../src/core/formats/ini.ts'
import { OPTIONS } from '../../../src/core/options.ts'
import { DEFAULT_PHP, type Php } from '../../../src/core/php.ts'
import { fakeHost } from '../host/fake-host.ts'
import { planOn } from '../plan.ts'

/** A binding that stands for its kind, and the section of the page that shows what PHP is told for it. */
interface Example {
  readonly title: string
  readonly remark: string
  readonly service: Service
  readonly env?: Readonly<Record<string, string>>
  readonly php?: Partial<Php>
  /** The section above whose lines are not repeated. */
  readonly like?: string
}

const PASSWORD = 'PASSWORD'
const PHPREDIS_6 = { phpredis: '6.2.0' }
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
const KEY = '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n'
const TLS = { host: 'redis.internal', tls_port: 6380, password: PASSWORD, cacrt: CERTIFICATE }

const redis = (credentials: Service['credentials']): Service => ({ name: 'app-redis-sessions', credentials })
const memcached = (servers: string, login = {}): Service => ({
  name: 'app-memcached-sessions',
  credentials: { servers, ...login },
})

const EXAMPLES: readonly Example[] = [
  {
    title: 'One Redis or Valkey',
    remark: 'A server with a password.',
    service: redis({ host: 'redis.internal', password: PASSWORD }),
  },
  {
    title: 'Redis over TLS',
    remark: 'With a CA of its own and a client certificate; phpredis 6.',
    service: redis({ ...TLS, client_certificate: CERTIFICATE, client_key: KEY }),
    php: PHPREDIS_6,
    like: 'One Redis or Valkey',
  },
  {
    title: 'Redis over TLS with phpredis 5',
    remark: 'With a CA of its own, which phpredis 5 reads only from the setting for all of PHP.',
    service: redis(TLS),
    php: { phpredis: '5.3.7' },
    like: 'One Redis or Valkey',
  },
  {
    title: 'Redis Cluster',
    remark: 'Three nodes.',
    service: redis({ cluster_nodes: 'node-1:6379,node-2:6379,node-3:6379', password: PASSWORD }),
  },
  {
    title: 'Redis behind Sentinel',
    remark: 'The Sentinels have named 10.0.0.9 as the master.',
    service: redis({ sentinels: 'sentinel-1,sentinel-2', master_name: 'sessions', password: PASSWORD }),
    php: PHPREDIS_6,
    like: 'One Redis or Valkey',
  },
  {
    title: 'Redis with the managed handler',
    remark: 'With `PHP_SESSIONS_HANDLER=managed` and `PHP_SESSIONS_TIMING=on`.',
    service: redis({ host: 'redis.internal', password: PASSWORD }),
    env: { PHP_SESSIONS_HANDLER: 'managed', PHP_SESSIONS_TIMING: 'on' },
    like: 'One Redis or Valkey',
  },
  {
    title: 'Redis, while sessions move there from files',
    remark: 'With `PHP_SESSIONS_PREVIOUS=/var/lib/php/sessions`.',
    service: redis({ host: 'redis.internal', password: PASSWORD }),
    env: { PHP_SESSIONS_PREVIOUS: '/var/lib/php/sessions' },
    like: 'Redis with the managed handler',
  },
  { title: 'One Memcached', remark: 'Without a login.', service: memcached('memcached.internal') },
  {
    title: 'Memcached with a login',
    remark: 'SASL.',
    service: memcached('memcached.internal', { username: 'app', password: PASSWORD }),
    like: 'One Memcached',
  },
  {
    title: 'Memcached with the managed handler',
    remark: 'With `PHP_SESSIONS_HANDLER=managed`, and a login.',
    service: memcached('memcached.internal', { username: 'app', password: PASSWORD }),
    env: { PHP_SESSIONS_HANDLER: 'managed' },
    like: 'One Memcached',
  },
  {
    title: 'A pool of Memcached servers',
    remark: 'Two servers, one with twice the weight.',
    service: memcached('memcached-1:11211:2,memcached-2:11211:1'),
    like: 'One Memcached',
  },
  {
    title: 'With settings of your own: Redis',
    remark: 'Locking off, a lifetime, a prefix and a serializer.',
    service: redis({ host: 'redis.internal', password: PASSWORD }),
    env: {
      PHP_SESSIONS_LOCKING: 'off',
      PHP_SESSIONS_LIFETIME: '3600',
      PHP_SESSIONS_PREFIX: 'shop:',
      PHP_SESSIONS_SERIALIZER: 'igbinary',
    },
    like: 'One Redis or Valkey',
  },
  {
    title: 'With settings of your own: Memcached',
    remark: 'Locking off and a prefix.',
    service: memcached('memcached.internal'),
    env: { PHP_SESSIONS_LOCKING: 'off', PHP_SESSIONS_PREFIX: 'shop:' },
    like: 'One Memcached',
  },
]

const HEAD = `<!-- Made from src/core/options.ts and the reasons beside the directives: npx vitest run -u test/docs -->

# Settings: what you may set, and what PHP is told

## What you may set

Nothing has to be set. A setting is an environment variable, or a key in \`.bp-config/options.json\` of the app; the
variable wins. An unknown name or a wrong value is an error, never a silent default.
\`php-sessions help options\` prints this list.
`

const MIDDLE = `
## What PHP is told

php-sessions writes one ini file, \`00-php-sessions.ini\`. In it, each line below stands under its reason. The name sorts
first, so ini files of the app win. A second file, which PHP reads last, loads the extension of the store, and those that
it may need (\`igbinary\`, \`msgpack\`), unless another ini file loads them. \`php-sessions explain\` shows the lines for
your binding.

The examples have \`PASSWORD\` where the password is. php.ini has \`max_execution_time = ${DEFAULT_PHP.maxExecutionSeconds}\`.
`

/** Renders docs/settings.md. */
export function renderSettingsPage(): string {
  const plans = EXAMPLES.map((example) => ({ ...example, directives: directivesOf(example) }))
  const [first = [], ...others] = plans
    .filter(({ env }) => env === undefined)
    .map(({ directives }) => directives)
  const common = first.filter((line) => others.every((lines) => hasLine(lines, line)))
  const sections = plans.map(({ title, remark, directives, like }) => {
    const base = plans.find((plan) => plan.title === like)?.directives ?? []
    const own = directives.filter((line) => !hasLine([...common, ...base], line))
    const rest = like === undefined ? '' : ` The other lines are those of "${like}".`
    return `\n### ${title}\n\n${wrap(remark + rest)}\n\n${own.map(renderLine).join('')}`
  })
  return [
    HEAD,
    ...Object.keys(OPTIONS).map((name) => renderOption(name as keyof typeof OPTIONS)),
    MIDDLE,
    `\n### Every bound store\n\n${common.map(renderLine).join('')}`,
    ...sections,
  ].join('')
}

function directivesOf({ service, env = {}, php = {} }: Example): readonly Directive[] {
  const host = fakeHost({ ...env, VCAP_SERVICES: vcapServices(service) })
  return planOn(host, { php: { ...DEFAULT_PHP, ...php }, master: { host: '10.0.0.9', port: 6379 } })
    .directives
}

/** The values are compared as they are written. */
function hasLine(lines: readonly Directive[], { name, value, because }: Directive): boolean {
  return lines.some(
    (line) =>
      line.name === name && line.because === because && renderValue(line.value) === renderValue(value),
  )
}

function renderOption(name: keyof typeof OPTIONS): string {
  const { meaning, expected, default: fallback } = OPTIONS[name]
  const value = `Expects ${expected}.${fallback === '' ? '' : ` Default: \`${fallback}\`.`}`
  return `\n### ${name}\n\n${wrap(`${asSentence(meaning, expected)}.`)}\n\n${wrap(value)}\n`
}

/** A meaning may begin with one of the values, which are in lower case. */
function asSentence(meaning: string, expected: string): string {
  const [first = ''] = meaning.split(' ')
  const isValue = expected.split(/,? /).includes(first)
  return isValue
    ? `\`${first}\`${meaning.slice(first.length)}`
    : `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}`
}

function renderLine({ name, value, because }: Directive): string {
  return `${wrap(`- \`${name} = ${renderValue(value)}\`: ${because}`, '  ')}\n`
}

const WIDTH = 118

/** Breaks lines at blanks, but not within a code span. */
function wrap(text: string, indent = ''): string {
  const words = text.match(/(?:`[^`]*`|[^\s`])+/g) ?? []
  return words.reduce((lines, word) => {
    const last = lines.slice(lines.lastIndexOf('\n') + 1)
    if (lines === '' || last === '-') return `${lines}${lines === '' ? '' : ' '}${word}`
    return last.length + 1 + word.length > WIDTH ? `${lines}\n${indent}${word}` : `${lines} ${word}`
  }, '')
}
