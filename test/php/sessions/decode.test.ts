import { describe, expect, test } from 'vitest'
import { DECODE } from '../../../src/sessions/programs/decode/index.ts'
import { withoutHead } from '../../../src/stores/handler/join.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'

const DECODER = `namespace PhpSessions;
function getIni($name) { return (string) ini_get($name); }
${DECODE.map(withoutHead).join('\n')}
/** What PHP has, without classes and identities. */
function flat($value) {
  if ($value instanceof Structure) { return [$value->class, array_map(fn ($item) => [$item[0], flat($item[1])], $value->items)]; }
  return $value;
}
function flatOf($value) {
  if (is_array($value)) { return ['', array_map(fn ($name, $item) => [(string) $name, flatOf($item)], array_keys($value), $value)]; }
  return $value;
}`

const FORMATS = ['php', 'php_binary', 'php_serialize', 'igbinary', 'msgpack']

function runIn(php: PhpUnderTest, format: string, code: string): unknown {
  const ini = `session.serialize_handler=${format}\nsession.use_cookies=0\nsession.cache_limiter=\nmemory_limit=64M\n${php.loadExtensions('igbinary', 'msgpack')}`
  return JSON.parse(String(php.runPhp(ini, `${DECODER}\n${code}`)))
}

/** Scalars, and arrays of them, of every size that the formats distinguish. */
const RANDOM = `
function any(int $depth = 0) {
  $sizes = [0, 1, 15, 16, 31, 32, 127, 128, 255, 256, 65535, 65536];
  return match (mt_rand(0, $depth < 3 ? 9 : 6)) {
    0 => null, 1 => (bool) mt_rand(0, 1), 2 => mt_rand(-40, 300), 3 => [PHP_INT_MIN, PHP_INT_MAX, 70000, -70000, 1 << 33][mt_rand(0, 4)],
    4 => mt_rand() / 7, 5 => ['', 'user', "|;\\0{\\"", "\\xff\\xfe"][mt_rand(0, 3)], 6 => str_repeat('x', $sizes[mt_rand(0, 11)]),
    default => some($depth + 1),
  };
}
function some(int $depth) {
  $all = [];
  for ($i = mt_rand(0, 1) ? mt_rand(0, 20) : ($depth === 1 ? 300 : 0); $i > 0; $i--) { $all[mt_rand(0, 1) ? mt_rand(-5, 300) : 'k' . mt_rand(0, 99)] = any($depth); }
  return $all;
}`

describe.each(PHPS)('%s', (_name, php) => {
  test.each(FORMATS)('every session of scalars and arrays is decoded as PHP has it: %s', (format) => {
    const differs = runIn(
      php,
      format,
      `${RANDOM}
      mt_srand(1); $differs = []; session_start();
      for ($n = 0; $n < ${php.propertyRuns}; $n++) {
        $_SESSION = []; for ($i = mt_rand(1, 5); $i > 0; $i--) { $_SESSION["name$i"] = any(); }
        $data = session_encode();
        [$found, $session] = decodeSession($data) ?? [null, new Structure('none')];
        if ($found !== ini_get('session.serialize_handler') || flat($session) !== flatOf($_SESSION)) { $differs[] = base64_encode(substr($data, 0, 300)); }
      }
      session_abort(); echo json_encode(array_slice($differs, 0, 3));`,
    )
    expect(differs).toEqual([])
  })

  test.each(FORMATS)('no class is loaded, no code of an object runs, and the rest is shown: %s', (format) => {
    const decoded = runIn(
      php,
      format,
      `class Trap { private $email = 'a@b'; public $self; public $other;
         function __wakeup() { echo 'woken'; } function __unserialize(array $data): void { echo 'woken'; } function __destruct() { if ($GLOBALS['armed'] ?? false) { echo 'destroyed'; } } }
       session_start(); $trap = new Trap; $trap->self = $trap; $trap->other = new \\ArrayObject([1]);
       $_SESSION = ['before' => 1, 'trap' => $trap, 'again' => $trap, 'after' => 'x']; $data = session_encode(); session_abort();
       $data = str_replace('Trap', 'Gone', $data); $trap = null; $_SESSION = []; gc_collect_cycles(); $GLOBALS['armed'] = true;
       spl_autoload_register(function ($class) { echo "loaded $class"; });
       [, $session] = decodeSession($data);
       $by = array_column(array_map(fn ($item) => ['name' => $item[0], 'value' => $item[1]], $session->items), 'value', 'name');
       echo json_encode([$by['before'], $by['trap']->class, count($by['trap']->items), $by['after']]);`,
    )
    expect(decoded).toEqual([1, 'PhpSessions\\Gone', 3, 'x'])
  })

  test.each(FORMATS)('INF and NAN are numbers: %s', (format) => {
    const decoded = runIn(
      php,
      format,
      `session_start(); $_SESSION = ['a' => INF, 'b' => -INF, 'c' => NAN]; $data = session_encode(); session_abort();
       echo json_encode(array_map(fn ($item) => (string) $item[1], decodeSession($data)[1]->items));`,
    )
    expect(decoded).toEqual(['INF', '-INF', 'NAN'])
  })

  test('hostile data end quickly, with an answer or none', () => {
    const seconds = runIn(
      php,
      'php',
      `$start = microtime(true); mt_srand(2);
       $seeds = ['a|a:1:{i:0;s:3:"abc";}', "\\0\\0\\0\\2\\x14\\1\\x11\\1a\\6\\1", "\\x81\\xa1a\\1", 'a|O:1:"A":1:{s:1:"b";R:1;}', 'a:1:{s:1:"a";i:1;}'];
       foreach ([str_repeat('a:1:{i:0;', 100000), 'a|' . str_repeat('a:1:{i:0;', 100000), "\\0\\0\\0\\2" . str_repeat("\\x14\\1\\6\\0", 100000),
         str_repeat("\\x91", 100000), "\\xdd\\xff\\xff\\xff\\xff", "\\0\\0\\0\\2\\x16\\xff\\xff\\xff\\xff", 'a|a:99999999999:{', "a|s:99999999999:\\"", 'a|C:1:"A":5:{', "\\0\\0\\0\\2" . str_repeat("\\x25", 100000)] as $data) { decodeSession($data); }
       for ($n = 0; $n < ${20 * php.propertyRuns}; $n++) {
         $data = $seeds[$n % 5]; for ($i = mt_rand(1, 4); $i > 0; $i--) { $data[mt_rand(0, strlen($data) - 1)] = chr(mt_rand(0, 255)); }
         decodeSession($data);
       }
       echo json_encode(microtime(true) - $start);`,
    )
    expect(seconds).toBeTypeOf('number')
  })
})
