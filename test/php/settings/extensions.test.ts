import { spawnSync } from 'node:child_process'
import { afterAll, describe, expect, test } from 'vitest'
import { type Service, vcapServices } from '../../../lab/bindings.ts'
import { type InstalledPhp, PHP_LIMIT } from '../../../lab/php/installed.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { startMemcached } from '../../../lab/servers/memcached.ts'
import { PHPS } from '../../support/php/php.ts'
import { EXTENSION_HOMES, type Layout } from '../../support/php/suites/extension-homes.ts'

const redis = await startRedis()
const memcached = await startMemcached()
afterAll(() => Promise.all([redis.stop(), memcached.stop()]))

/** What is bound, and the extension that keeps the sessions then. */
const BOUND: readonly (readonly [title: string, service: Service | undefined, handler: string])[] = [
  ['Redis', { name: 'redis-sessions', credentials: { host: redis.host, port: redis.port } }, 'redis'],
  [
    'Memcached',
    { name: 'memcached-sessions', credentials: { servers: `${memcached.host}:${memcached.port}` } },
    'memcached',
  ],
  ['nothing', undefined, 'files'],
]

/** Where an app loads the extensions. The order within a file counts, too. */
const LAYOUTS: Readonly<Record<string, Layout>> = {
  'nothing is loaded': {},
  'all in php.ini, in order': { 'php.ini': ['igbinary', 'msgpack', 'redis', 'memcached'] },
  'igbinary, msgpack and memcached in php.ini': { 'php.ini': ['igbinary', 'msgpack', 'memcached'] },
  'igbinary, msgpack and redis in php.ini': { 'php.ini': ['igbinary', 'msgpack', 'redis'] },
  'igbinary and redis in php.ini': { 'php.ini': ['igbinary', 'redis'] },
  'redis alone in php.ini': { 'php.ini': ['redis'] },
  'memcached alone in php.ini': { 'php.ini': ['memcached'] },
  'redis before igbinary in php.ini': { 'php.ini': ['redis', 'igbinary'] },
  'igbinary early': { early: ['igbinary'] },
  'igbinary late': { late: ['igbinary'] },
  'igbinary and msgpack late': { late: ['igbinary', 'msgpack'] },
  'igbinary and redis late': { late: ['igbinary', 'redis'] },
  'igbinary, msgpack and memcached late': { late: ['igbinary', 'msgpack', 'memcached'] },
  'igbinary and redis early': { early: ['igbinary', 'redis'] },
  'redis alone early': { early: ['redis'] },
  'redis alone late': { late: ['redis'] },
  'memcached alone late': { late: ['memcached'] },
  'redis in php.ini, igbinary late': { 'php.ini': ['redis'], late: ['igbinary'] },
  'redis early, igbinary late': { early: ['redis'], late: ['igbinary'] },
  'igbinary in php.ini, redis late': { 'php.ini': ['igbinary'], late: ['redis'] },
  'memcached in php.ini, msgpack early, igbinary late': {
    'php.ini': ['memcached'],
    early: ['msgpack'],
    late: ['igbinary'],
  },
  'igbinary twice': { 'php.ini': ['igbinary'], late: ['igbinary'] },
  'redis twice, once too early': { 'php.ini': ['redis', 'igbinary'], late: ['redis'] },
  'redis twice': { 'php.ini': ['igbinary', 'redis'], late: ['redis'] },
  'all four twice': {
    'php.ini': ['memcached', 'redis', 'msgpack', 'igbinary'],
    late: ['igbinary', 'msgpack', 'redis', 'memcached'],
  },
}

/** Layouts in which PHP could not load an extension before, and does with it bound, also where no ini file is edited. */
const REPAIRED: Readonly<Record<string, string>> = {
  'redis alone early': 'redis',
  'redis alone late': 'redis',
  'memcached alone late': 'memcached',
}

const PAGE = `
error_reporting(E_ALL);
$works = session_start() && ($_SESSION['word'] = 'kept') && session_write_close();
$_SESSION = [];
session_start();
echo json_encode([
    'loaded' => array_values(array_filter(['igbinary', 'msgpack', 'redis', 'memcached'], 'extension_loaded')),
    'handler' => ini_get('session.save_handler'),
    'word' => $_SESSION['word'] ?? null,
]);`

interface Seen {
  readonly loaded: readonly string[]
  readonly handler: string
  readonly word: string | null
  /** What PHP wrote on stderr, without the paths in it. */
  readonly warnings: readonly string[]
}

/** Starts PHP as the app's start does, and has it keep a session. */
function see(php: InstalledPhp, env: Readonly<Record<string, string>>): Seen {
  const shown = ['-d', 'display_errors=stderr', '-d', 'log_errors=0', '-d', 'html_errors=0']
  const { file, args, env: whole } = php.cli([...shown, '-r', PAGE], { PATH: process.env.PATH, ...env })
  const { stdout, stderr } = spawnSync(file, args, { env: whole, encoding: 'utf8', ...PHP_LIMIT })
  if (stdout === '') throw new Error(`PHP printed nothing: ${stderr}`)
  const warnings = stderr.split('\n').filter((line) => /Warning|Error|Notice/.test(line))
  return { ...JSON.parse(stdout), warnings: warnings.map((line) => line.replace(/ \(.*$| in .*$/, '')) }
}

const named = (layout: Layout) => [...new Set(Object.values(layout).flat())]

// One home edits ini files, one adds some: enough for a second PHP.
const HOMES_OF_SECOND_PHP = ['php_buildpack 5', 'a container']

const ROWS = PHPS.flatMap(([title, { php }], at) =>
  Object.entries(EXTENSION_HOMES)
    .filter(([name]) => at === 0 || HOMES_OF_SECOND_PHP.includes(name))
    .map(([name, home]) => [`${title}, ${name}`, php, home] as const),
)

describe.each(ROWS)('%s', (_, php, { isMended, files, make }) => {
  const possible = Object.entries(LAYOUTS).filter(([, layout]) =>
    Object.keys(layout).every((name) => files.some((file) => file === name)),
  )
  test.each(possible)(
    'PHP loads what the sessions need and what the app has, without a new warning: %s',
    (name, layout) => {
      const before = see(php, make(php, layout).env)
      for (const [title, service, handler] of BOUND) {
        const bound = service === undefined ? {} : { VCAP_SERVICES: vcapServices(service) }
        const after = see(php, make(php, layout).start(bound))
        expect({ title, ...after }).toMatchObject({ title, handler, word: 'kept' })
        const kept = isMended ? named(layout) : before.loaded
        expect(after.loaded).toEqual(
          expect.arrayContaining([...kept, ...(service === undefined ? [] : [handler])]),
        )
        const old = isMended || REPAIRED[name] === handler ? [] : before.warnings
        expect({ title, warnings: after.warnings.filter((line) => !old.includes(line)) }).toEqual({
          title,
          warnings: [],
        })
      }
    },
  )
})
