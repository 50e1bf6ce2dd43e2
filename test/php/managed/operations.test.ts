import { describe, expect, onTestFinished, test } from 'vitest'
import { startRedis } from '../../../lab/redis.ts'
import { makeScratch } from '../../../lab/scratch.ts'
import { CANARY } from '../../support/bindings.ts'
import { configureManaged, PREPEND } from '../../support/managed.ts'
import { PHPS } from '../../support/php.ts'

/** What an app may do with its session; each begins with one that holds `n`, and tells what it saw. */
const OPERATIONS: Readonly<Record<string, string>> = {
  'read and write': `start(); $_SESSION['n']++;`,
  'read only': `start();`,
  'an unknown id': `session_id('unknown'); start(); see(session_id() === 'unknown'); $_SESSION['n'] = 5;`,
  'an id with other characters': `session_id('a_b/c'); @start();`,
  'no id': `session_id(''); start(); see(strlen(session_id())); $_SESSION['x'] = 1;`,
  'empty and new': `session_id(''); start();`,
  'closed early': `start(); $_SESSION['n']++; session_write_close(); $_SESSION['n'] = 99;`,
  read_and_close: `start(['read_and_close' => true]); $_SESSION['n'] = 99;`,
  abort: `start(); $_SESSION['n'] = 99; session_abort();`,
  reset: `start(); $_SESSION['n'] = 99; session_reset(); see($_SESSION['n']); $_SESSION['n']++;`,
  destroy: `start(); session_destroy();`,
  'destroy and start again': `start(); session_destroy(); start(); $_SESSION['n'] = 7;`,
  unset: `start(); session_unset();`,
  regenerate: `start(); $old = session_id(); session_regenerate_id(); see($old !== session_id()); $_SESSION['n']++;`,
  'regenerate and delete': `start(); session_regenerate_id(true); $_SESSION['n']++;`,
  'regenerate twice': `start(); session_regenerate_id(); session_regenerate_id(true); $_SESSION['n']++;`,
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

/** Runs the operation in one process, then tells what the next one finds. */
const run = (operation: string) => `${PRELUDE}
session_id('kept'); session_start(['use_strict_mode' => 0]); $_SESSION['n'] = 1; session_write_close();
$_SESSION = null;
register_shutdown_function(function () {
  register_shutdown_function(function () {
    if (session_status() === PHP_SESSION_ACTIVE) session_write_close();
    $after = session_id();
    session_id('kept'); session_start(['use_strict_mode' => 0, 'read_and_close' => true]);
    $kept = $_SESSION;
    $new = null;
    if ($after !== '' && $after !== 'kept') {
      session_id($after); session_start(['use_strict_mode' => 0, 'read_and_close' => true]); $new = $_SESSION;
    }
    $hash = fn ($data) => strlen(serialize($data)) > 999 ? sha1(serialize($data)) : $data;
    fwrite(STDOUT, json_encode([$GLOBALS['seen'], $after === 'kept', $hash($kept), $hash($new)]));
    exit(0);
  });
});
session_id('kept');
${operation}`

const MODES = [0, 1].flatMap((strict) => [0, 1].map((lazy) => ({ strict, lazy })))

describe.each(PHPS)('%s', (_name, underTest) => {
  test.each(MODES)(
    'every operation is as with files: strict $strict, lazy $lazy',
    async ({ strict, lazy }) => {
      const redis = await startRedis({ password: CANARY })
      onTestFinished(redis.stop)
      const credentials = { host: redis.host, port: redis.port, password: CANARY }
      const common = 'session.use_cookies=0\nsession.cache_limiter=\n'
      const mode = `session.use_strict_mode=${strict}\nsession.lazy_write=${lazy}\n${common}`
      const managed = `${configureManaged(underTest, { name: 'redis-sessions', credentials })}${mode}`
      const differences: unknown[] = []
      for (const [name, operation] of Object.entries(OPERATIONS)) {
        const files = `session.save_handler=files\nsession.save_path=${makeScratch('sessions')}\n${mode}`
        const expected = String(underTest.runPhp(files, run(operation)))
        redis.cli('FLUSHALL')
        const got = String(underTest.runPhp(managed, PREPEND + run(operation)))
        if (got !== expected) differences.push({ name, expected, got })
        // No lock is left behind.
        expect({ name, locks: redis.cli('KEYS', '*_LOCK') }).toEqual({ name, locks: '' })
      }
      // With files PHP's warning shows the save_path, where the password is: ours makes none, and keeps nothing.
      expect(differences).toEqual([expect.objectContaining({ name: 'an id with other characters' })])
    },
  )
})
