import { afterAll, describe, expect, test } from 'vitest'
import { renderIni } from '../../../src/core/formats/ini.ts'
import { fakeHost } from '../../support/host/fake-host.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { planOn } from '../../support/plan.ts'
import { fc } from '../../support/properties.ts'
import { startRedisRecorder } from '../../support/redis-recorder.ts'

const HOURS = 3_600_000
const recorders = [await startRedisRecorder('127.0.0.1'), await startRedisRecorder('127.0.0.2')] as const
afterAll(() => {
  for (const recorder of recorders) recorder.stop()
})

const ADDRESSES = [`127.0.0.1:${recorders[0].port}`, `127.0.0.2:${recorders[1].port}`] as const

/** What each of two servers hears from phpredis with these settings. */
async function hear(php: PhpUnderTest, settings: string) {
  for (const recorder of recorders) recorder.take()
  const ini = `${php.loadExtensions('igbinary', 'msgpack', 'redis')}${settings}session.use_strict_mode = 0\n`
  await php.startPhp(ini, 'session_id("fixed"); @session_start();', {}).catch(() => '')
  return recorders
    .map((recorder) => recorder.take())
    .map((heard) => heard && { ...heard, auth: loginOf(heard.auth) })
}

/** Redis takes a password without a user for that of the user `default`. */
function loginOf(auth: readonly string[]): readonly string[] {
  return auth.length === 2 && auth[0] === 'default' ? auth.slice(1) : auth
}

const hearItself = (php: PhpUnderTest, uri: string) =>
  hear(
    php,
    renderIni([
      { name: 'session.save_handler', value: 'redis', because: 'a test' },
      { name: 'session.save_path', value: uri, because: 'a test' },
    ]),
  )

/** What phpredis does with the plan for this URI; undefined if the URI is refused. */
async function hearPlanned(php: PhpUnderTest, uri: string, prefix: string | undefined) {
  const env = { REDIS_URL: uri, ...(prefix === undefined ? {} : { PHP_SESSIONS_PREFIX: prefix }) }
  const { planned, directives, findings } = planOn(fakeHost(env))
  if (planned === undefined) {
    expect(findings.filter(({ level, fix }) => level === 'error' && fix !== '')).not.toEqual([])
    return undefined
  }
  return hear(php, renderIni(directives))
}

/** Texts with all that has a meaning in a URI, raw and encoded. */
const texts = fc
  .array(
    fc.constantFrom(
      ...'abcXY019',
      ...[
        '%2C',
        '%20',
        '+',
        '%2B',
        '%',
        '%zz',
        '%26',
        '%3D',
        '=',
        '@',
        ':',
        '/',
        '?',
        '#',
        ';',
        '[',
        ']',
        '.',
        '$',
        '"',
      ],
      ...["'", '\\', '^', '!', '~', 'é', '%C3%A9', '%ff', '%00', ',', ' ', '&', '{', '|'],
    ),
    { minLength: 0, maxLength: 6 },
  )
  .map((parts) => parts.join(''))

const parameter = fc.oneof(
  texts.map((text) => [`auth=${text}`]),
  fc.tuple(texts, texts).map(([user, password]) => [`auth[]=${user}`, `auth[]=${password}`]),
  fc.tuple(texts, texts).map(([user, password]) => [`auth[user]=${user}`, `auth[pass]=${password}`]),
  fc.tuple(texts, texts).map(([user, password]) => [`auth[1]=${password}`, `auth%5B0%5D=${user}`]),
  texts.map((text) => [`auth[]=${text}`]),
  texts.map((text) => [`auth[pass]=${text}`]),
  texts.map((text) => [`auth[user]=${text}`]),
  fc.constantFrom('0', '3', '15', '03', '-1', 'x', '', '3x', '0x1').map((text) => [`database=${text}`]),
  fc.constantFrom('shop:', 'PHPREDIS_SESSION:', '', 'a+b').map((text) => [`prefix=${text}`]),
  fc.constantFrom('1', '2', '0', '').map((text) => [`weight=${text}`]),
  fc
    .constantFrom('timeout=1', 'read_timeout=2', 'persistent=1', 'retry_interval=10', 'db=4')
    .map((text) => [text]),
)

const savePaths = fc
  .record({
    server: fc.constantFrom(...ADDRESSES),
    before: fc.constantFrom('', '', '', '', 'u:p@', ' '),
    after: fc.constantFrom('', '', '', '', '/', '/3', '#x'),
    // The first one makes it a save_path of phpredis, whatever follows.
    own: fc.constantFrom('weight=1', 'auth=p', 'auth[]=p', 'retry_interval=5'),
    parameters: fc.array(parameter, { maxLength: 2 }),
    isMarked: fc.boolean(),
    second: fc.constantFrom('', '', '', `, tcp://${ADDRESSES[1]}?auth=q`, ` tcp://${ADDRESSES[0]}`),
  })
  .map(({ server, before, after, own, parameters, isMarked, second }) => {
    const all = [...(isMarked || parameters.length === 0 ? [own] : []), ...parameters.flat()]
    return `tcp://${before.trim()}${server}${after}?${all.join('&')}${second}`
  })
  .filter((path) => /[?&](auth|weight|prefix|retry_interval)(\[|%5B|=)/.test(path))

describe.each(PHPS)('%s', (_, php) => {
  test(
    `${php.propertyRuns} save_paths of phpredis as the URI: the same server, login, database and keys, or refused`,
    async () => {
      let accepted = 0
      await fc.assert(
        fc.asyncProperty(savePaths, fc.constantFrom(undefined, 'shop:'), async (path, prefix) => {
          const planned = await hearPlanned(php, path, prefix)
          if (planned === undefined) return
          accepted++
          // A setting that the path does not have is the user's own wish. It belongs to the server
          // before a separator that ends the path.
          const wished =
            prefix === undefined || path.includes('prefix=')
              ? path
              : `${path.replace(/[\s,]+$/, '')}&prefix=${prefix}`
          expect(planned).toEqual(await hearItself(php, wished))
        }),
        { numRuns: php.propertyRuns },
      )
      expect(accepted).toBeGreaterThan(php.propertyRuns / 10)
    },
    HOURS,
  )

  test.each([
    `tcp://${ADDRESSES[0]}?auth[]=user&auth[]=pw&database=3`,
    `tcp://${ADDRESSES[1]}?auth[user]=user&auth[pass]=p%26w`,
    `tcp://${ADDRESSES[0]}?weight=3&auth=a+b`,
  ])('%s is taken over', async (path) => {
    const [planned, itself] = [await hearPlanned(php, path, undefined), await hearItself(php, path)]
    expect(planned).toEqual(itself)
    expect(itself.filter((heard) => heard !== undefined)).toHaveLength(1)
  })
})
