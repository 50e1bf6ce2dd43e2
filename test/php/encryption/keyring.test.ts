import { describe, expect, test } from 'vitest'
import { configureManaged } from '../../support/php/managed.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { KEY, OTHER_KEY } from '../../support/php/sealed.ts'

const SERVICE = { name: 'redis-sessions', credentials: { host: '127.0.0.1', port: 1 } }

/** Runs code beside the handler, with the settings of these keys; gives what it prints, as JSON. */
function run(
  underTest: PhpUnderTest,
  keys: string | undefined,
  code: string,
  env: Record<string, string> = {},
): unknown {
  const ini = configureManaged(underTest, SERVICE, {
    ...env,
    ...(keys === undefined ? {} : { PHP_SESSIONS_ENCRYPTION_KEY: keys }),
  })
  const ring = `namespace PhpSessions; require ini_get('auto_prepend_file');
    $ring = new Keyring(require get_cfg_var('php_sessions.store'));`
  return JSON.parse(String(underTest.runPhp(ini, `${ring} echo json_encode(${code});`)))
}

describe.each(PHPS)('%s', (_name, underTest) => {
  const methods = ['gzip', ...(underTest.php.name.includes('phpredis 6') ? ['zstd', 'lz4'] : [])]

  test('a name is a keyed hash: the same in every process, another with another key, and says nothing of the id', () => {
    const names = (keys: string) => run(underTest, keys, `$ring->namesFor('abc')`) as string[]
    expect(names(KEY)).toEqual([expect.stringMatching(/^<[\w-]{32}$/), 'abc'])
    expect(names(`${KEY},only`)).toEqual([names(KEY)[0]])
    expect(names(`plain,${OTHER_KEY},${KEY}`)).toEqual(['abc', names(OTHER_KEY)[0], names(KEY)[0]])
    expect(run(underTest, undefined, `$ring->namesFor('abc')`)).toEqual(['abc'])
  })

  test('the vector of the protocol page: names and sealed bytes never change', () => {
    const code = `(function () use ($ring) { [$key] = $ring->keys; $name = $key->nameFor('an-id');
      $bytes = "\\0ps1\\x80" . hex2bin($key->id . str_repeat('42', 24)) . sodium_crypto_aead_xchacha20poly1305_ietf_encrypt('n|i:1;', "\\0ps1\\x80" . hex2bin($key->id) . $name, str_repeat('B', 24),
        sodium_crypto_kdf_derive_from_key(32, 2, 'phpsessn', hex2bin('${OTHER_KEY}')));
      return [$key->id, $name, $ring->open($name, $bytes)]; })()`
    expect(run(underTest, OTHER_KEY, code)).toEqual(['20907207aa2285cc', expect.any(String), 'n|i:1;'])
  })

  test.each(methods)(
    'what %s compresses is shorter, and is read whatever is set; short data stay as they are',
    (method) => {
      const env = { PHP_SESSIONS_COMPRESSION: method }
      const long = `str_repeat('a word, ', 1000)`
      const code = `(function () use ($ring) { $plain = ${long};
      [$name, $bytes] = $ring->close('an-id', $plain); [, $short] = $ring->close('an-id', 'n|i:1;');
      return [strlen($bytes) < 400, $ring->open($name, $bytes) === $plain, strlen($short), $ring->open($name, $short), bin2hex($bytes), $name]; })()`
      for (const keys of [KEY, undefined]) {
        const [isShort, isSame, short, read, hex, name] = run(underTest, keys, code, env) as unknown[]
        expect([isShort, isSame, short, read]).toEqual([true, true, keys === undefined ? 6 : 59, 'n|i:1;'])
        expect(run(underTest, keys, `$ring->open('${name}', hex2bin('${hex}')) === ${long}`)).toBe(true)
      }
    },
  )

  test.each(methods)('what says that it is huge, or is, is never made: %s', (method) => {
    const code = `(function () use ($ring) { ini_set('memory_limit', '64M');
      $bomb = $ring->close('an-id', str_repeat('0', 10_000_000))[1]; ini_set('memory_limit', '24M'); $said = [];
      $huge = "\\xff\\xff\\xff\\x7f";
      $lies = [$bomb, ...array_map(fn ($at) => substr_replace($bomb, $huge, $at, 4), [5, 6, 9, 10, 11])];
      foreach ($lies as $bytes) { try { $said[] = strlen($ring->open('an-id', $bytes)) > 5_000_000; } catch (Unreadable | StoreFailed $e) { $said[] = $e->getMessage(); } }
      return [$said, memory_get_peak_usage() < 40_000_000]; })()`
    const [said, isBounded] = run(underTest, undefined, `Warnings::quietly(fn () => ${code})`, {
      PHP_SESSIONS_COMPRESSION: method,
    }) as [unknown[], boolean]
    expect(isBounded).toBe(true)
    expect(said).not.toContain(true)
    expect(said[0]).toBe('the session does not fit into memory_limit')
  })

  test('no dump of an object shows a key', () => {
    const dumps = run(
      underTest,
      KEY,
      `(function () use ($ring) { ob_start(); var_dump($ring, $ring->keys, openSessions(), openSessions()->places() ?? 0); print_r($ring->keys); return ob_get_clean(); })()`,
    )
    expect(String(dumps)).not.toMatch(/[^\x20-\x7e\s]/)
    expect(String(dumps)).not.toContain(Buffer.from(KEY, 'base64').toString('hex'))
    expect(String(dumps)).not.toMatch(/naming|sealing|[0-9a-f]{64}/)
  })
})
