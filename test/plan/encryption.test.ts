import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { memcachedService, redisService } from '../../lab/bindings.ts'
import type { JsonObject } from '../../src/core/binding.ts'
import { DEFAULT_PHP, type Php } from '../../src/core/php.ts'
import { Secret } from '../../src/core/secret.ts'
import { nodeHost } from '../../src/host/node.ts'
import { readKeyFiles } from '../../src/platforms/key-files.ts'
import { fakeHost } from '../support/fake-host.ts'
import { planFor, planOn, valuesOf } from '../support/plan.ts'

const HEX = '8f3a1c5e7b90d2461fa8c3e5b7d90214f6a8c0e2b4d6f8091a2b3c4d5e6f7081'
const BASE64 = 'jVbmK0gJt8Z5sP3RpmTZwqLq0mB8ZbqX1rjS8v4mC2A='
const BASE64_IN_HEX = '8d56e62b4809b7c679b0fdd1a664d9c2a2ead2607c65ba97d6b8d2f2fe260b60'
const ASKED: Php = { ...DEFAULT_PHP, codecs: ['sodium', 'gzip'] }

const plan = (
  keys: string,
  more: Record<string, string> = {},
  credentials: JsonObject = { host: 'h' },
  php = ASKED,
) => planFor([{ ...redisService, credentials }], { PHP_SESSIONS_ENCRYPTION_KEY: keys, ...more }, php)
const keysOf = ({ planned }: ReturnType<typeof plan>) =>
  planned?.endpoint.encryption?.keys.map((key) => (key === '' ? '' : key.reveal()))
const ids = ({ findings }: ReturnType<typeof plan>) => findings.map(({ id, level }) => `${level} ${id}`)

test.each<[string, readonly string[]]>([
  [HEX, [HEX, '']],
  [HEX.toUpperCase(), [HEX, '']],
  [BASE64, [BASE64_IN_HEX, '']],
  [BASE64.replace('=', ''), [BASE64_IN_HEX, '']],
  [` ${HEX} ,\n\t${BASE64}\n`, [HEX, BASE64_IN_HEX, '']],
  [`${HEX},`, [HEX, '']],
  [`${HEX},only`, [HEX]],
  [`plain,${HEX}`, ['', HEX]],
  [`${HEX},plain,${BASE64}`, [HEX, '', BASE64_IN_HEX]],
])('keys are read as people write them: %j', (text, expected) => {
  expect(keysOf(plan(text))).toEqual(expected)
  expect(ids(plan(text))).toEqual([])
})

test.each([
  'short',
  'plain',
  'only',
  ',',
  HEX.slice(2),
  `${HEX}00`,
  BASE64.slice(0, 42),
  HEX.replace('8', 'ö'),
  `${HEX.slice(0, 32)} ${HEX.slice(32)}`,
  '0'.repeat(64),
  'YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=',
  `${HEX},${HEX.toUpperCase()}`,
  `${HEX},plain,plain`,
  `plain,only,${HEX}`,
])('a list that is wrong is refused, without a word of it: %j', (text) => {
  const { planned, findings, directives } = plan(text)
  expect({ planned, directives }).toEqual({ planned: undefined, directives: [] })
  expect(findings).toMatchSnapshot()
  for (const part of text.split(','))
    if (part.length > 6) expect(JSON.stringify(findings)).not.toContain(part)
})

describe('files', () => {
  const host = (keys: string, files: Record<string, string>) =>
    fakeHost({ PHP_SESSIONS_ENCRYPTION_KEY: keys, REDIS_URL: 'redis://h:6379' }, files)

  test('a key may be in a file, and the file may have several', () => {
    const files = { '/run/secrets/new': `${HEX}\n`, '/run/secrets/old': `${BASE64}\n` }
    expect(keysOf(planOn(host('file:/run/secrets/new, file:/run/secrets/old', files)))).toEqual([
      HEX,
      BASE64_IN_HEX,
      '',
    ])
    expect(keysOf(planOn(host('file:/keys,only', { '/keys': `${HEX}\n${BASE64}\n` })))).toEqual([
      HEX,
      BASE64_IN_HEX,
    ])
  })

  test.each<[string, Record<string, string>]>([
    ['file:/run/secrets/none', {}],
    ['file:keys', { keys: HEX }],
    ['file:/keys', { '/keys': ' \n' }],
    ['file:/keys', { '/keys': `${HEX}\n`.repeat(100) }],
  ])('a file that cannot be used is refused: %s', (keys, files) => {
    const { planned, findings } = planOn(host(keys, files))
    expect(planned).toBeUndefined()
    expect(findings.filter(({ id }) => id === 'encryption.file')).toMatchSnapshot()
  })
})

test('a file that would never end, or is none, or is too large, is refused at once', () => {
  const directory = mkdtempSync(join(tmpdir(), 'php-sessions-keys-'))
  try {
    execFileSync('mkfifo', [join(directory, 'fifo')])
    writeFileSync(join(directory, 'large'), 'x'.repeat(5 << 20))
    for (const [name, why] of [
      ['fifo', 'it is not a regular file'],
      ['large', 'it is larger than 4 MB'],
      ['.', 'it is '],
      ['../', 'it is '],
    ] as const) {
      const { findings } = readKeyFiles(nodeHost, new Secret(`file:${directory}/${name}`))
      expect(findings.map(({ id, level, title }) => [id, level, title.includes(why)])).toEqual([
        ['encryption.file', 'error', true],
      ])
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a field of the binding has the keys, unless the setting has', () => {
  const credentials = { host: 'h', session_encryption_key: HEX }
  const bound = planFor([{ ...redisService, credentials }], {}, ASKED)
  expect(keysOf(bound)).toEqual([HEX, ''])
  expect(bound.planned?.endpoint.encryption?.from).toMatch(/credentials\.session_encryption_key$/)
  expect(keysOf(plan(BASE64, {}, credentials))).toEqual([BASE64_IN_HEX, ''])
  const wrong = planFor([
    { ...redisService, credentials: { ...credentials, session_encryption_key: 'short' } },
  ])
  expect(ids(wrong)).toEqual(['error encryption.key'])
})

test('a key in the options file of the app is refused: it is in the droplet', () => {
  const options = JSON.stringify({ PHP_SESSIONS_ENCRYPTION_KEY: HEX })
  for (const env of [{}, { PHP_SESSIONS_ENCRYPTION_KEY: '' }]) {
    const { planned, findings } = planOn(
      fakeHost({ ...env, REDIS_URL: 'redis://h:6379' }, { '/app/.bp-config/options.json': options }),
    )
    expect(planned).toBeUndefined()
    expect(findings).toMatchSnapshot()
  }
})

test('a key is enough to choose the managed handler', () => {
  expect(plan(HEX).planned?.handler).toBe('managed')
  expect(plan(`plain,${HEX}`).planned?.handler).toBe('managed')
  const one = { ...memcachedService, credentials: { host: 'm', port: 11211 } }
  expect(planFor([one], { PHP_SESSIONS_ENCRYPTION_KEY: HEX }, ASKED).planned?.handler).toBe('managed')
})

test.each<[string, () => ReturnType<typeof plan>]>([
  ['the native handler is set', () => plan(HEX, { PHP_SESSIONS_HANDLER: 'native' })],
  [
    'a pool of Memcached servers',
    () => planFor([memcachedService], { PHP_SESSIONS_ENCRYPTION_KEY: HEX }, ASKED),
  ],
  ['an old PHP', () => plan(HEX, {}, { host: 'h' }, { ...ASKED, runsManaged: false })],
  [
    'an obstacle',
    () =>
      plan(
        HEX,
        {},
        { host: 'h' },
        {
          ...ASKED,
          obstacles: [
            { id: 'handler.blocked', level: 'warn', title: 'it cannot', from: 'here', fix: 'mend it' },
          ],
        },
      ),
  ],
  ['no sodium', () => plan(HEX, {}, { host: 'h' }, { ...ASKED, codecs: ['gzip'] })],
  ['no zstd', () => plan(HEX, { PHP_SESSIONS_COMPRESSION: 'zstd' })],
])('sessions that are to be encrypted are never kept in clear instead: %s', (_name, make) => {
  const { planned, findings } = make()
  expect(planned).toBeUndefined()
  expect(findings).toMatchSnapshot()
})

test('a PHP that was not asked is not refused', () => {
  expect(ids(plan(HEX, { PHP_SESSIONS_COMPRESSION: 'zstd' }, { host: 'h' }, DEFAULT_PHP))).toEqual([])
})

test('PHP’s own handler is given no server below, and the keys are in the file with the login only', () => {
  const sealed = plan(HEX, { PHP_SESSIONS_COMPRESSION: 'gzip' })
  const paths = [
    { host: 'h' },
    { host: 'h', tls_port: 6380 },
    { cluster_nodes: 'h1:7000,h2:7000' },
    { uri: 'unix:///run/redis.sock' },
  ].map((credentials) => valuesOf(plan(HEX, {}, credentials))['session.save_path'])
  expect(paths).toMatchSnapshot()
  expect(JSON.stringify(sealed)).not.toContain(HEX)
  const holding = sealed.files.filter(({ text }) => text instanceof Secret && text.reveal().includes(HEX))
  expect(holding.map(({ path }) => path)).toEqual(['/run/php-sessions/php-sessions-store.php'])
  const text = holding[0]?.text
  expect(text instanceof Secret ? text.reveal().split('onStoreError')[1] : '').toMatchSnapshot()
})

test('compression without the managed handler has no effect, which a warning says', () => {
  const { findings, planned } = planFor([redisService], { PHP_SESSIONS_COMPRESSION: 'gzip' }, ASKED)
  expect(planned?.handler).toBe('native')
  expect(findings).toMatchSnapshot()
})
