import { describe, expect, test } from 'vitest'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { configureManaged, PREPEND } from '../../support/php/managed.ts'
import { MEMCACHED_SERVERS } from '../../support/php/managed-memcached.ts'
import { startMemcachedStore, startRedisStore } from '../../support/php/managed-stores.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { SERVERS } from '../../support/servers.ts'

/** What an app may do with its session. Each operation starts with a session that has `n`, and reports what it sees. */
const OPERATIONS: Readonly<Record<string, string>> = {
  'read and write': `start(); $_SESSION['n']++;`,
  'read only': `start();`,
  'an unknown id': `session_id('unknown'); start(); see(session_id() === 'unknown'); $_SESSION['n'] = 5;`,
  'an id with other characters': `session_id('a_b/c'); @start();`,
  'an id that is too long': `session_id(str_repeat('a', 257)); @start(); see(strlen(session_id()));`,
  'an unknown id, aborted': `session_id('unknown'); start(); session_abort(); start(); see(session_id() === 'unknown');`,
  'no id': `session_id(''); start(); see(strlen(session_id())); $_SESSION['x'] = 1;`,
  'empty and new': `session_id(''); start();`,
  'new, read_and_close': `session_id(''); start(['read_and_close' => true]); see(session_status());`,
  'new, aborted': `session_id(''); start(); $id = session_id(); session_abort(); start(); see(session_id() === $id);`,
  'new, reset': `session_id(''); start(); $_SESSION['x'] = 1; session_reset(); see($_SESSION);`,
  'started twice': `start(); start(); $_SESSION['n']++;`,
  'closed early': `start(); $_SESSION['n']++; session_write_close(); $_SESSION['n'] = 99;`,
  read_and_close: `start(['read_and_close' => true]); $_SESSION['n'] = 99;`,
  abort: `start(); $_SESSION['n'] = 99; session_abort();`,
  reset: `start(); $_SESSION['n'] = 99; session_reset(); see($_SESSION['n']); $_SESSION['n']++;`,
  'reset twice': `start(); session_reset(); session_reset(); see($_SESSION);`,
  destroy: `start(); session_destroy();`,
  'destroy twice': `start(); session_destroy(); session_destroy();`,
  'destroy and write': `start(); session_destroy(); see(session_write_close());`,
  'destroy and start again': `start(); session_destroy(); start(); $_SESSION['n'] = 7;`,
  unset: `start(); session_unset();`,
  regenerate: `start(); $old = session_id(); session_regenerate_id(); see($old !== session_id()); $_SESSION['n']++;`,
  'regenerate and delete': `start(); session_regenerate_id(true); $_SESSION['n']++;`,
  'regenerate twice': `start(); session_regenerate_id(); session_regenerate_id(true); $_SESSION['n']++;`,
  'regenerate and abort': `start(); session_regenerate_id(); session_abort();`,
  'regenerate and reset': `start(); $_SESSION['n'] = 99; session_regenerate_id(); session_reset(); see($_SESSION);`,
  'regenerate and destroy': `start(); session_regenerate_id(true); session_destroy(); start(); see($_SESSION);`,
  'regenerate a new one': `session_id(''); start(); session_regenerate_id(true); $_SESSION['x'] = 1;`,
  'another id while one is open': `start(); session_id('other'); see(session_id()); $_SESSION['n']++;`,
  'an id from stock': `session_id(session_create_id('x-')); start(); see(str_starts_with(session_id(), 'x-')); $_SESSION['x'] = 1;`,
  'decoded and encoded': `start(); session_decode('n|i:7;'); see(session_encode());`,
  'a way of its own': `start(['lazy_write' => 0, 'gc_maxlifetime' => 5000]); $_SESSION['n']++;`,
  'every byte': `start(); $_SESSION['all'] = implode(array_map('chr', range(0, 255)));`,
  'several times': `for ($i = 0; $i < 3; $i++) { start(); $_SESSION['n']++; session_write_close(); }`,
  'two sessions in turn': `start(); $_SESSION['n']++; session_write_close(); $first = session_id();
    session_id(session_create_id()); start(); $_SESSION['other'] = 1; session_write_close();
    session_id($first); start(); see($_SESSION['n']); $_SESSION['n']++;`,
  gc: `start(); session_gc(); $_SESSION['n']++;`,
  'a fatal error': `start(); $_SESSION['n']++; register_shutdown_function(function () { see('shut down'); });
    ini_set('display_errors', '0'); ini_set('log_errors', '0'); no_such_function();`,
  exit: `start(); $_SESSION['n']++; exit;`,
  'a megabyte': `start(); $_SESSION['big'] = str_repeat("\\0é'\\"", 200000);`,
}

const PRELUDE = `
ob_start(null, 0, 0);
$seen = [];
function see(mixed $what): void { $GLOBALS['seen'][] = $what; }
function start(array $options = []): void { see(session_start($options)); see($_SESSION ?? null); }
set_error_handler(function ($level, $message) { see(strtok($message, '(')); return true; });
`

/** An option of session_start() stays until the request ends. */
const AS_CONFIGURED = `ini_set('session.use_strict_mode', get_cfg_var('session.use_strict_mode'));`

/** Runs an operation, then prints what it saw, and what the next request would find. */
const run = (operation: string) => `${PRELUDE}
session_id('kept'); session_start(['use_strict_mode' => 0]); $_SESSION['n'] = 1; session_write_close();
$_SESSION = null; ${AS_CONFIGURED}
register_shutdown_function(function () {
  register_shutdown_function(function () {
    if (session_status() === PHP_SESSION_ACTIVE) session_write_close();
    $after = session_id();
    session_id('kept'); session_start(['use_strict_mode' => 0, 'read_and_close' => true]);
    $kept = $_SESSION; ${AS_CONFIGURED}
    $new = null;
    if ($after !== '' && $after !== 'kept') {
      session_id($after); session_start(['read_and_close' => true]);
      $new = [session_id() === $after, $_SESSION];
    }
    $hash = fn ($data) => strlen(serialize($data)) > 999 ? sha1(serialize($data)) : $data;
    fwrite(STDOUT, json_encode([$GLOBALS['seen'], $after === 'kept', $hash($kept), $hash($new)]));
    exit(0);
  });
});
session_id('kept');
${operation}`

/**
 * Without strict mode, PHP's warning shows the save_path with files. The managed handler gives none, because the password is
 * in it. It keeps the former id, as phpredis does; nobody has been given the latter.
 */
const DIFFERENT = ['an id with other characters', 'an id that is too long']

const MODES = [0, 1].flatMap((strict) => [0, 1].map((lazy) => [strict, lazy] as const))

const REDIS_RUNS = SERVERS.flatMap(([name, which], i) =>
  MODES.slice(i === 0 ? 0 : -1).map((mode) => [name, ...mode, startRedisStore(which)] as const),
)
/** What is a matter of the modes is in code that both stores have. */
const MEMCACHED_RUNS = MEMCACHED_SERVERS.flatMap(([name, which], i) =>
  [MODES.slice(0, 1), MODES.slice(-1)]
    .flat()
    .slice(i === 0 ? 0 : -1)
    .map((mode) => [`Memcached, ${name}`, ...mode, startMemcachedStore(which)] as const),
)
/** Redis with all modes, the other servers with the usual one. The protocol is no matter of PHP's version. */
const runsOf = (underTest: PhpUnderTest) => {
  const isFirst = underTest === PHPS[0]?.[1]
  return [...REDIS_RUNS, ...MEMCACHED_RUNS.slice(0, isFirst ? undefined : 2)]
}

/** What the operations give with files, which keep the sessions of each in a directory of its own. */
function runWithFiles({ runPhp }: PhpUnderTest, mode: string): ReadonlyMap<string, string> {
  const iniOf = () => `session.save_handler=files\nsession.save_path=${makeScratch('sessions')}\n${mode}`
  return new Map(
    Object.entries(OPERATIONS).map(([name, operation]) => [name, String(runPhp(iniOf(), run(operation)))]),
  )
}

describe.each(PHPS)('%s', (_name, underTest) => {
  const expectations = new Map<string, ReadonlyMap<string, string>>()

  test.each(runsOf(underTest))(
    'every operation gives the same as with files: %s, strict mode %d, lazy_write %d',
    async (_store, strict, lazy, start) => {
      const store = await start()
      const common = 'session.use_cookies=0\nsession.cache_limiter=\n'
      const mode = `session.use_strict_mode=${strict}\nsession.lazy_write=${lazy}\n${common}`
      const managed = `${configureManaged(underTest, store.service)}${mode}`
      const expected = expectations.get(mode) ?? runWithFiles(underTest, mode)
      expectations.set(mode, expected)
      const differences: { name: string; expected: string | undefined; got: string }[] = []
      for (const [name, operation] of Object.entries(OPERATIONS)) {
        await store.empty()
        const got = await underTest.startPhp(managed, PREPEND + run(operation), {})
        if (got !== expected.get(name)) differences.push({ name, expected: expected.get(name), got })
        // No lock is left behind.
        expect({ name, locks: await store.locks('kept') }).toEqual({ name, locks: [] })
      }
      expect(differences.map(({ name }) => name)).toEqual(strict === 1 ? [] : DIFFERENT)
    },
  )
})
