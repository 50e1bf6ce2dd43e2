import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { joinHandler } from '../../../src/stores/handler/join.ts'
import filesSession from '../../../src/stores/handler/moving/files-session.php'
import sessionFiles from '../../../src/stores/handler/moving/session-files.php'
import { memcachedPart } from '../../../src/stores/memcached/handler/index.ts'
import { redisPart } from '../../../src/stores/redis/handler/index.ts'
import { HANDLER_TEXT } from '../../support/handler-text.ts'
import { loadExtensions, runPhp } from '../../support/php/php.ts'

/** PHP's own functions that a text calls, by PHP's own tokens. */
const CALLED = `
$tokens = array_values(array_filter(token_get_all(file_get_contents($argv[1])), fn ($token) =>
  !is_array($token) || !in_array($token[0], [T_WHITESPACE, T_COMMENT, T_DOC_COMMENT])));
$isOther = fn ($token) => is_array($token)
  && in_array($token[0], [T_OBJECT_OPERATOR, T_NULLSAFE_OBJECT_OPERATOR, T_DOUBLE_COLON, T_FUNCTION, T_NEW]);
$called = [];
foreach ($tokens as $i => $token) {
  if (is_array($token) && $token[0] === T_STRING && ($tokens[$i + 1] ?? '') === '(' && !$isOther($tokens[$i - 1])) {
    $called[$token[1]] = function_exists($token[1]) || $token[1] === 'opcache_invalidate';
  }
}
ksort($called);
echo json_encode(array_keys(array_filter($called)));`

const moving = (files: readonly string[]) => ({ files, open: 'openPreviousOnes' })

test.each([
  ['Redis', HANDLER_TEXT.redis],
  ['Memcached', HANDLER_TEXT.memcached],
  ['Redis, with sessions from Memcached', joinHandler(redisPart, moving(memcachedPart.files))],
  ['Redis, with sessions from files', joinHandler(redisPart, moving([sessionFiles, filesSession]))],
])('the handler for %s names all functions of PHP that it calls, and no others', (_store, text) => {
  const named = /^use function ([^;]+);/m.exec(text)?.[1]?.split(/,\s+/) ?? []
  const file = join(makeScratch('handler'), 'handler.php')
  writeFileSync(file, text)
  const called = JSON.parse(String(runPhp(loadExtensions('tokenizer'), CALLED, file)))
  expect(named).toEqual(called)
})
