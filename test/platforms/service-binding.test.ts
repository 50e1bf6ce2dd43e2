import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeScratch } from '../../lab/processes/scratch.ts'
import { nodeHost } from '../../src/host/node.ts'
import { readServiceBindings } from '../../src/platforms/service-binding.ts'
import { fakeHost } from '../support/host/fake-host.ts'

const read = (files: Record<string, string>, env: Record<string, string> = { SERVICE_BINDING_ROOT: '/b' }) =>
  readServiceBindings(fakeHost(env, files))

test('a directory is a binding, a file is an entry, and a line break at its end is not part of the value', () => {
  const { bindings, findings } = read({
    '/b/sessions/type': 'redis\n',
    '/b/sessions/provider': 'acme',
    '/b/sessions/host': 'h\n',
    '/b/sessions/password': ' p w \r\n',
    '/b/a-file': 'not a binding',
  })
  expect(findings).toEqual([])
  expect(bindings).toEqual([
    {
      name: 'sessions',
      names: ['sessions'],
      kinds: ['redis', 'acme'],
      plan: undefined,
      credentials: expect.objectContaining({ host: 'h', password: ' p w ' }),
      source: 'SERVICE_BINDING_ROOT',
      from: '/b/sessions',
      fieldPrefix: '/b/sessions/',
      isChosenByKind: true,
    },
  ])
})

test('the first variable that is set says where the bindings are', () => {
  const files = { '/a/x/type': 'redis', '/b/x/type': 'redis', '/platform/bindings/x/type': 'redis' }
  const all = { SERVICE_BINDING_ROOT: '/a', CNB_BINDINGS: '/b', CNB_PLATFORM_DIR: '/platform' }
  const from = (env: Record<string, string>) => read(files, env).bindings.map((binding) => binding.from)
  expect(from(all)).toEqual(['/a/x'])
  expect(from({ ...all, SERVICE_BINDING_ROOT: '' })).toEqual(['/b/x'])
  expect(from({ CNB_PLATFORM_DIR: '/platform' })).toEqual(['/platform/bindings/x'])
  expect(from({})).toEqual([])
})

test('a directory that does not exist has no bindings', () => {
  expect(read({})).toEqual({ bindings: [], findings: [] })
})

test('a directory without a type is ignored with a warning, an empty one without', () => {
  const { bindings, findings } = read({ '/b/x/host': 'h', '/b/y/.hidden': '' })
  expect(bindings).toEqual([])
  expect(findings).toMatchSnapshot()
})

test("Cloud Foundry's attributes are not credentials: its name hides that of the broker", () => {
  const { bindings } = read({
    '/b/my-redis/type': 'p.redis',
    '/b/my-redis/label': 'p.redis',
    '/b/my-redis/plan': 'on-demand-ha',
    '/b/my-redis/name': 'my-redis',
    '/b/my-redis/tags': '["redis","pivotal"]',
    '/b/my-redis/instance-name': 'app-redis-sessions',
    '/b/my-redis/instance-guid': '36bdb1b4',
    '/b/my-redis/host': 'h',
  })
  expect(bindings).toMatchObject([
    {
      name: 'app-redis-sessions',
      names: ['app-redis-sessions', 'my-redis'],
      kinds: ['p.redis', 'p.redis', 'redis', 'pivotal'],
      plan: 'on-demand-ha',
    },
  ])
  expect(bindings[0]?.credentials).toEqual({
    host: 'h',
    'instance-name': 'app-redis-sessions',
    'instance-guid': '36bdb1b4',
  })
})

test('the older layout has the directories metadata and secret', () => {
  const { bindings } = read({
    '/b/x/metadata/kind': 'redis',
    '/b/x/metadata/provider': 'acme',
    '/b/x/secret/host': 'h',
  })
  expect(bindings).toMatchObject([
    { kinds: ['redis', 'acme'], credentials: { host: 'h' }, fieldPrefix: '/b/x/secret/' },
  ])
})

test("SAP's operator may put all credentials into one file", () => {
  const metadata = { credentialProperties: [{ name: 'all', format: 'json', container: true }] }
  const { bindings } = read({
    '/b/x/type': 'redis-cache',
    '/b/x/.metadata': JSON.stringify(metadata),
    '/b/x/all': '{"hostname":"h","port":1}',
  })
  expect(bindings).toMatchObject([{ credentials: { hostname: 'h', port: 1 } }])
})

test('Kubernetes mounts entries as links into ..data, which is not an entry itself', () => {
  const root = makeScratch('bindings')
  const data = join(root, 'sessions/..2026_01_01')
  mkdirSync(data, { recursive: true })
  symlinkSync('..2026_01_01', join(root, 'sessions/..data'))
  for (const [name, text] of Object.entries({ type: 'redis', host: 'h' })) {
    writeFileSync(join(data, name), text)
    symlinkSync(`..data/${name}`, join(root, 'sessions', name))
  }
  const { bindings } = readServiceBindings({ ...nodeHost, env: { SERVICE_BINDING_ROOT: root } })
  expect(bindings.map(({ credentials }) => credentials)).toEqual([{ type: 'redis', host: 'h' }])
})
