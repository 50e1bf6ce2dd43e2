import { expect, test } from 'vitest'
import { CANARY, memcachedService, redisService, type Service, vcapServices } from '../../../lab/bindings.ts'
import { main } from '../../../src/cli/main.ts'
import { fakeHost } from '../../support/host/fake-host.ts'

function supply(
  services: readonly Service[],
  files: Record<string, string> = {},
  env: Record<string, string> = {},
) {
  const host = fakeHost({ VCAP_SERVICES: vcapServices(...services), ...env }, files)
  const status = main(host, ['supply', '/build', '/cache', '/deps', '0'])
  return { host, said: { status, ...host.output } }
}

test.each<[string, readonly Service[]]>([
  ['Redis', [redisService]],
  ['Redis with a user over TLS', [{ ...redisService, credentials: { uri: 'rediss://app:pw@h:6380' } }]],
  ['Memcached', [memcachedService]],
  ['both', [memcachedService, redisService]],
  ['nothing', []],
])('staging says what it found and what will happen: %s', (_name, services) => {
  const { said } = supply(services)
  expect(said).toMatchSnapshot()
  expect(said.out.trimEnd().split('\n').length).toBeLessThanOrEqual(6)
  expect(said.out + said.err).not.toContain(CANARY)
})

const SEARCH = '/build/.bp-config/options.json'

test('that nothing secret is in the droplet is said only where it is true', () => {
  const named = { ...redisService, name: 'shop-cache' }
  const key = 'REDIS_SESSION_STORE_SERVICE_NAME'
  const exposed = supply([named], { [SEARCH]: JSON.stringify({ [key]: 'shop-' }) })
  expect(exposed.said).toMatchSnapshot()
  const found = (word: unknown, env = {}) =>
    supply([named], { [SEARCH]: JSON.stringify({ [key]: word }) }, env).said.err.includes(
      '(buildpack.secret)',
    )
  expect([found('shop-'), found('other'), found('shop-', { [key]: 'shop-' })]).toEqual([true, false, true])
  const safe = supply([named], {}, { [key]: 'shop-' }).said
  expect(safe.out).toContain('Nothing secret is in the droplet.')
  expect(safe.err).toBe('')
})

test('staging writes the launch step, nothing secret, nothing else', () => {
  const { host } = supply([redisService])
  expect(Object.fromEntries(host.files)).toMatchSnapshot()
  expect([...host.files.values()].join('')).not.toContain(CANARY)
})

test('PHP_SESSIONS_WATCH adds a sidecar, and one line that says so', () => {
  const { host, said } = supply([redisService], {}, { PHP_SESSIONS_WATCH: 'on' })
  expect(host.files.get('/deps/0/launch.yml')).toMatchSnapshot()
  expect(said.out).toMatch(/PHP_SESSIONS_WATCH is on: a sidecar follows .*\n$/)
})

test.each<[string, readonly Service[], Record<string, string>, Record<string, string>]>([
  ['no host', [{ ...redisService, credentials: { password: CANARY } }], {}, {}],
  ['malformed VCAP_SERVICES', [], {}, { VCAP_SERVICES: `{"password": "${CANARY}"` }],
  ['VCAP_SERVICES of another form', [], {}, { VCAP_SERVICES: '[]' }],
  ['VCAP_SERVICES without lists', [], {}, { VCAP_SERVICES: '{"redis": {}}' }],
  ['malformed options.json', [redisService], { '/build/.bp-config/options.json': '{ "PHP_VM": php }' }, {}],
  ['an unknown option', [redisService], {}, { PHP_SESSIONS_LOCKS: 'on' }],
])('a staging that cannot work fails before anything is written: %s', (_name, services, files, env) => {
  const { host, said } = supply(services, files, env)
  expect(said).toMatchSnapshot()
  expect(said.status).toBe(1)
  expect(Object.fromEntries(host.files)).toEqual(files)
  expect(said.out + said.err).not.toContain(CANARY)
})

test('C4: options.json of the app names another search key', () => {
  const files = { '/build/.bp-config/options.json': '{"REDIS_SESSION_STORE_SERVICE_NAME": "my-cache"}' }
  const { said } = supply([{ ...redisService, name: 'the-my-cache' }], files)
  expect(said.out).toContain('service the-my-cache, because its name contains my-cache')
})

test('listed last, it says which order is right', () => {
  const host = fakeHost()
  expect(main(host, ['finalize', 'a', 'b', 'c', 'd', 'e'])).toBe(1)
  expect(host.output).toMatchSnapshot()
})
