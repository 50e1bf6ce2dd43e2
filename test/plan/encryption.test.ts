import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { memcachedService, redisService, SESSION_KEY } from '../../lab/bindings.ts'
import type { JsonObject } from '../../src/core/binding.ts'
import { DEFAULT_PHP, type Php } from '../../src/core/php.ts'
import { Secret } from '../../src/core/secret.ts'
import { nodeHost } from '../../src/host/node.ts'
import { readKeyFiles } from '../../src/platforms/key-files.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { planFor, planOn, valuesOf } from '../support/plan.ts'

const BASE64 = 'jVbmK0gJt8Z5sP3RpmTZwqLq0mB8ZbqX1rjS8v4mC2A='
const BASE64_IN_HEX = '8d56e62b4809b7c679b0fdd1a664d9c2a2ead2607c65ba97d6b8d2f2fe260b60'
const URL_SAFE = '----Pv-_fGebD90aZk2cKi6tJgfGW6l9a40vL-JgtgA='
const URL_SAFE_IN_HEX = 'fbefbe3effbf7c679b0fdd1a664d9c2a2ead2607c65ba97d6b8d2f2fe260b600'
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
  [SESSION_KEY, [SESSION_KEY, '']],
  [SESSION_KEY.toUpperCase(), [SESSION_KEY, '']],
  [BASE64, [BASE64_IN_HEX, '']],
  [BASE64.replace('=', ''), [BASE64_IN_HEX, '']],
  [` ${SESSION_KEY} ,\n\t${BASE64}\n`, [SESSION_KEY, BASE64_IN_HEX, '']],
  [`${SESSION_KEY},`, [SESSION_KEY, '']],
  [`\u{feff}${SESSION_KEY}\r\n${BASE64}\r\n`, [SESSION_KEY, BASE64_IN_HEX, '']],
  [URL_SAFE, [URL_SAFE_IN_HEX, '']],
  [URL_SAFE.replace('=', ''), [URL_SAFE_IN_HEX, '']],
  [`${SESSION_KEY},only`, [SESSION_KEY]],
  [`plain,${SESSION_KEY}`, ['', SESSION_KEY]],
  [`${SESSION_KEY},plain,${BASE64}`, [SESSION_KEY, '', BASE64_IN_HEX]],
])('keys are read as people write them: %j', (text, expected) => {
  expect(keysOf(plan(text))).toEqual(expected)
  expect(ids(plan(text))).toEqual([])
})

test.each([
  'short',
  'plain',
  'only',
  ',',
  SESSION_KEY.slice(2),
  `${SESSION_KEY}00`,
  `0x${SESSION_KEY}`,
  `"${SESSION_KEY}"`,
  `${BASE64},${BASE64_IN_HEX.toUpperCase()}`,
  BASE64.slice(0, 42),
  SESSION_KEY.replace('8', 'ö'),
  `${SESSION_KEY.slice(0, 32)} ${SESSION_KEY.slice(32)}`,
  '0'.repeat(64),
  'YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=',
  `${SESSION_KEY},${SESSION_KEY.toUpperCase()}`,
  `${SESSION_KEY},plain,plain`,
  `plain,only,${SESSION_KEY}`,
])('a wrong list is refused, and the message shows no part of it: %j', (text) => {
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
    const files = { '/run/secrets/new': `${SESSION_KEY}\n`, '/run/secrets/old': `${BASE64}\n` }
    expect(keysOf(planOn(host('file:/run/secrets/new, file:/run/secrets/old', files)))).toEqual([
      SESSION_KEY,
      BASE64_IN_HEX,
      '',
    ])
    expect(keysOf(planOn(host('file:/keys,only', { '/keys': `${SESSION_KEY}\n${BASE64}\n` })))).toEqual([
      SESSION_KEY,
      BASE64_IN_HEX,
    ])
  })

  test.each<[string, Record<string, string>]>([
    ['file:/run/secrets/none', {}],
    ['file:keys', { keys: SESSION_KEY }],
    ['file:/keys', { '/keys': ' \n' }],
    ['file:/keys', { '/keys': `${SESSION_KEY}\n`.repeat(100) }],
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
  const credentials = { host: 'h', session_encryption_key: SESSION_KEY }
  const bound = planFor([{ ...redisService, credentials }], {}, ASKED)
  expect(keysOf(bound)).toEqual([SESSION_KEY, ''])
  expect(bound.planned?.endpoint.encryption?.from).toMatch(/credentials\.session_encryption_key$/)
  expect(keysOf(plan(BASE64, {}, credentials))).toEqual([BASE64_IN_HEX, ''])
  const wrong = planFor([
    { ...redisService, credentials: { ...credentials, session_encryption_key: 'short' } },
  ])
  expect(ids(wrong)).toEqual(['error encryption.key'])
})

test('a key in the options file of the app is refused: it is in the droplet', () => {
  const options = JSON.stringify({ PHP_SESSIONS_ENCRYPTION_KEY: SESSION_KEY })
  for (const env of [{}, { PHP_SESSIONS_ENCRYPTION_KEY: '' }]) {
    const { planned, findings } = planOn(
      fakeHost({ ...env, REDIS_URL: 'redis://h:6379' }, { '/app/.bp-config/options.json': options }),
    )
    expect(planned).toBeUndefined()
    expect(findings).toMatchSnapshot()
  }
})

test('a key is enough to choose the managed handler', () => {
  expect(plan(SESSION_KEY).planned?.handler).toBe('managed')
  expect(plan(`plain,${SESSION_KEY}`).planned?.handler).toBe('managed')
  const one = { ...memcachedService, credentials: { host: 'm', port: 11211 } }
  expect(planFor([one], { PHP_SESSIONS_ENCRYPTION_KEY: SESSION_KEY }, ASKED).planned?.handler).toBe('managed')
})

test.each<[string, () => ReturnType<typeof plan>]>([
  ['the native handler is set', () => plan(SESSION_KEY, { PHP_SESSIONS_HANDLER: 'native' })],
  [
    'a pool of Memcached servers',
    () => planFor([memcachedService], { PHP_SESSIONS_ENCRYPTION_KEY: SESSION_KEY }, ASKED),
  ],
  ['an old PHP', () => plan(SESSION_KEY, {}, { host: 'h' }, { ...ASKED, runsManaged: false })],
  [
    'an obstacle',
    () =>
      plan(
        SESSION_KEY,
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
  ['no sodium', () => plan(SESSION_KEY, {}, { host: 'h' }, { ...ASKED, codecs: ['gzip'] })],
  ['no zstd', () => plan(SESSION_KEY, { PHP_SESSIONS_COMPRESSION: 'zstd' })],
])('sessions that are to be encrypted are never kept in clear instead: %s', (_name, make) => {
  const { planned, findings } = make()
  expect(planned).toBeUndefined()
  expect(findings).toMatchSnapshot()
})

test('a PHP that was not asked is not refused', () => {
  expect(ids(plan(SESSION_KEY, { PHP_SESSIONS_COMPRESSION: 'zstd' }, { host: 'h' }, DEFAULT_PHP))).toEqual([])
})

test('PHP’s own handler is given no server below, and the keys are in the file with the login only', () => {
  const sealed = plan(SESSION_KEY, { PHP_SESSIONS_COMPRESSION: 'gzip' })
  const paths = [
    { host: 'h' },
    { host: 'h', tls_port: 6380 },
    { cluster_nodes: 'h1:7000,h2:7000' },
    { uri: 'unix:///run/redis.sock' },
  ].map((credentials) => valuesOf(plan(SESSION_KEY, {}, credentials))['session.save_path'])
  expect(paths).toMatchSnapshot()
  expect(JSON.stringify(sealed)).not.toContain(SESSION_KEY)
  const holding = sealed.files.filter(
    ({ text }) => text instanceof Secret && text.reveal().includes(SESSION_KEY),
  )
  expect(holding.map(({ path }) => path)).toEqual(['/run/php-sessions/php-sessions-store.php'])
  const text = holding[0]?.text
  expect(text instanceof Secret ? text.reveal().split('onStoreError')[1] : '').toMatchSnapshot()
})

test('compression without the managed handler has no effect, which a warning says', () => {
  const { findings, planned } = planFor([redisService], { PHP_SESSIONS_COMPRESSION: 'gzip' }, ASKED)
  expect(planned?.handler).toBe('native')
  expect(findings).toMatchSnapshot()
})
