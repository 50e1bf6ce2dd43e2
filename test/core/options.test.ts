import { expect, test } from 'vitest'
import type { JsonObject } from '../../src/core/binding.ts'
import { OPTIONS, readOptions } from '../../src/core/options.ts'

const read = (env: Record<string, string>, file: JsonObject = {}) =>
  readOptions({ env, file: { value: file, from: '.bp-config/options.json' } })

test('without settings every option has its default', () => {
  expect(read({ PATH: '/bin' }, { PHP_VM: 'php' })).toMatchSnapshot()
})

test('C4: the search key is read from options.json and from the environment, which wins', () => {
  const file = { REDIS_SESSION_STORE_SERVICE_NAME: 'from-file', MEMCACHED_SESSION_STORE_SERVICE_NAME: 'pool' }
  expect(read({}, file).options).toMatchObject(file)
  expect(read({ REDIS_SESSION_STORE_SERVICE_NAME: 'from-env' }, file).options).toMatchObject({
    REDIS_SESSION_STORE_SERVICE_NAME: 'from-env',
    MEMCACHED_SESSION_STORE_SERVICE_NAME: 'pool',
  })
  expect(read({ REDIS_SESSION_STORE_SERVICE_NAME: '' }, file).options).toMatchObject(file)
})

test.each([
  ['PHP_SESSIONS_LOCKING', 'off', false],
  ['PHP_SESSIONS_MAX_WAIT', '5', 5],
  ['PHP_SESSIONS_MAX_WAITING', '0', 0],
  ['PHP_SESSIONS_SLOW_WAIT', '0.25', 0.25],
  ['PHP_SESSIONS_TIMING', 'on', true],
  ['PHP_SESSIONS_LIFETIME', '86400', 86400],
  ['PHP_SESSIONS_FIRST_LIFETIME', '0', 0],
  ['PHP_SESSIONS_PREFIX', 'shop:', 'shop:'],
  ['PHP_SESSIONS_SERIALIZER', 'igbinary', 'igbinary'],
  ['PHP_SESSIONS_HANDLER', 'managed', 'managed'],
  ['PHP_SESSIONS_ON_STORE_ERROR', 'empty', 'empty'],
  ['PHP_SESSIONS_ON_ERROR', 'files', 'files'],
])('%s=%s is read', (name, text, value) => {
  expect(read({ [name]: text })).toMatchObject({ options: { [name]: value }, findings: [] })
})

test('a number or a boolean in JSON counts as its text', () => {
  expect(read({}, { PHP_SESSIONS_LIFETIME: 3600, PHP_SESSIONS_LOCKING: false })).toMatchObject({
    options: { PHP_SESSIONS_LIFETIME: 3600, PHP_SESSIONS_LOCKING: false },
    findings: [],
  })
})

test.each([
  ['PHP_SESSIONS_LOCKING', 'maybe'],
  ['PHP_SESSIONS_LIFETIME', '1h'],
  ['PHP_SESSIONS_FIRST_LIFETIME', '-1'],
  ['PHP_SESSIONS_MAX_WAIT', '0'],
  ['PHP_SESSIONS_MAX_WAITING', 'many'],
  ['PHP_SESSIONS_SLOW_WAIT', '1s'],
  ['PHP_SESSIONS_SLOW_WAIT', '-1'],
  ['PHP_SESSIONS_LIFETIME', '0'],
  ['PHP_SESSIONS_PREFIX', 'a b'],
  ['PHP_SESSIONS_HANDLER', 'files'],
  ['PHP_SESSIONS_ON_STORE_ERROR', 'files'],
  ['PHP_SESSIONS_ON_ERROR', 'ignore'],
  ['PHP_SESSIONS_SERIALIZER', 'json'],
])('%s=%s is refused, and the message says what was expected', (name, text) => {
  expect(read({ [name]: text }).findings).toMatchSnapshot()
})

test('an unknown option is refused, and the message suggests the nearest name', () => {
  const { findings } = read({ PHP_SESSIONS_LOCK: '1' }, { PHP_SESSIONS_LIFE_TIME: 3 })
  expect(findings).toMatchSnapshot()
})

test('every option is found when a letter of it is missing, doubled, wrong or swapped with the next', () => {
  const options = Object.keys(OPTIONS).filter((name) => name.startsWith('PHP_SESSIONS_'))
  for (const name of options)
    for (let i = 'PHP_SESSIONS_'.length; i < name.length; i++) {
      const [before, letter, after] = [name.slice(0, i), name.charAt(i), name.slice(i + 1)]
      const swapped = before + after.charAt(0) + letter + after.slice(1)
      for (const typo of [
        before + after,
        name.slice(0, i + 1) + letter + after,
        `${before}Q${after}`,
        swapped,
      ]) {
        if (options.includes(typo) || typo === name) continue
        const [finding] = read({ [typo]: 'x' }).findings
        expect([typo, finding?.id, finding?.level]).toEqual([typo, 'option.unknown', 'error'])
        expect(finding?.fix).toContain(`did you mean ${name}?`)
      }
    }
})

test.each([
  'PHP_SESSIONS_IN_REDIS',
  'PHP_SESSIONS_TTL',
  'PHP_SESSIONS_ENABLED',
  'PHP_SESSIONS_',
  'PHP_SESSIONS_DB_HOST',
])('%s is not an option: a warning, and no start is stopped', (name) => {
  expect(read({ [name]: 'true' }).findings).toMatchObject([{ id: 'option.foreign', level: 'warn' }])
  expect(read({}, { [name]: true }).findings).toMatchObject([{ id: 'option.foreign', level: 'warn' }])
})

test.each(['PHP_SESSIONS', 'PHP_SESSIONS_WEB', 'PHP_SESSIONS_SERVICE'])(
  'what Kubernetes and Docker set for a Service or a link called %s is ignored without a message',
  (service) => {
    const names = [
      'SERVICE_HOST SERVICE_PORT SERVICE_PORT_HTTP PORT PORT_80_TCP PORT_80_TCP_PROTO PORT_80_TCP_PORT',
      'PORT_80_TCP_ADDR PORT_6379_UDP PORT_132_SCTP_ADDR NAME ENV_PHP_VERSION',
    ].flatMap((line) => line.split(' '))
    const env = Object.fromEntries(names.map((name) => [`${service}_${name}`, 'tcp://10.0.0.9:80']))
    expect(read(env)).toMatchObject({ options: { PHP_SESSIONS_SERVICE: undefined }, findings: [] })
  },
)

test('a list in place of text is refused', () => {
  expect(read({}, { PHP_SESSIONS_SERVICE: ['a'] }).findings).toMatchSnapshot()
})
