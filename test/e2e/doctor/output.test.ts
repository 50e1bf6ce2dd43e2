import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, type Service } from '../../../lab/bindings.ts'
import { startSentinels } from '../../../lab/redis/sentinel.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { startMemcached } from '../../../lab/servers/memcached.ts'
import { checks } from '../../../src/doctor/checks/index.ts'
import { diagnose, makeMachine, run, withEnv } from '../../support/doctor/machine.ts'
import { PHPS } from '../../support/php/php.ts'
import { SERVERS } from '../../support/servers.ts'

const matchesSchema = new Ajv2020({ allowUnionTypes: true }).compile(
  JSON.parse(readFileSync('docs/doctor.schema.json', 'utf8')),
)

/** Systems where all is well: what is bound there. */
const GOOD: Readonly<Record<string, () => Promise<Service>>> = {
  Redis: async () => {
    const server = await startRedis({ password: CANARY })
    onTestFinished(server.stop)
    const { host, port } = server
    return { name: 'app-redis-sessions', credentials: { host, port, password: CANARY } }
  },
  'Redis at a Unix socket': async () => {
    const server = await startRedis({ password: CANARY, socket: true })
    onTestFinished(server.stop)
    return {
      name: 'app-redis-sessions',
      credentials: { socket: server.socket ?? '', password: CANARY },
    }
  },
  Memcached: async () => {
    const server = await startMemcached()
    onTestFinished(server.stop)
    return { name: 'app-memcached-sessions', credentials: { servers: `127.0.0.1:${server.port}` } }
  },
  'a pool of Memcached servers with a login': async () => {
    const sasl = { username: 'app', password: CANARY }
    const servers = [await startMemcached({ sasl }), await startMemcached({ sasl })]
    for (const server of servers) onTestFinished(server.stop)
    const list = servers.map(({ port }) => `127.0.0.1:${port}`).join(',')
    return { name: 'app-memcached-sessions', credentials: { servers: list, ...sasl } }
  },
}

describe.each(PHPS)('%s', (_, php) => {
  test('no session is tried on a pool that lacks a server, because the result would be luck', async () => {
    const [first, second] = [await startMemcached(), await startMemcached()]
    onTestFinished(first.stop)
    const servers = `127.0.0.1:${first.port},127.0.0.1:${second.port}`
    const services = [{ name: 'app-memcached-sessions', credentials: { servers } }]
    const machine = await makeMachine({ services, php })
    await second.stop()
    const { out, status } = await diagnose(machine)
    expect(out).toContain(
      `! nothing accepts connections at 127.0.0.1:${second.port}: Connection refused  (net.connect)`,
    )
    expect(out).not.toMatch(/session was written|second request waits|session\.broken/)
    expect(status).toBe(0)
  })

  test.each(Object.entries(GOOD))('all is well with %s, and the last line says so', async (name, start) => {
    const service = await start()
    const { out, status, milliseconds } = await diagnose(await makeMachine({ services: [service], php }))
    process.stdout.write(`${name}: ${milliseconds} ms\n`)
    expect(out.trim().split('\n').at(-1)).toMatch(
      /^Sessions are ready: (Redis|Memcached) service app-\S+ at \S+.*\.$/,
    )
    expect(out).not.toMatch(/^[!✗]/m)
    expect(status).toBe(0)
  })
})

test.each(SERVERS)(
  '%s: the user that explain prints has all rights that doctor needs; with +info doctor shows the version',
  async (name, which) => {
    const server = await startRedis({ ...which, user: { name: 'admin', password: 'admin' } })
    onTestFinished(server.stop)
    const { host, port } = server
    const credentials = { host, port, username: 'app', password: 'pw' }
    const services = [{ name: 'app-redis-sessions', credentials }]
    const env = { PHP_SESSIONS_HANDLER: 'managed' }
    const machine = await makeMachine({ services, env, app: 'zend_extension = opcache\n' })
    const line = (await run(machine, ['explain', '--acl'])).out.trim().replace('>PASSWORD', '>pw')
    for (const [more, told] of [
      [[], 'Redis'],
      [['+info'], `${name} \\d+\\.\\d+\\.\\d+`],
    ] as const) {
      expect(server.cli(...line.split(' '), ...more)).toBe('OK')
      const { out, status } = await diagnose(machine)
      expect(out).toMatch(new RegExp(`✓ ${told}, single, as configured`))
      expect(out).not.toMatch(/^[!✗]/m)
      expect(status).toBe(0)
    }
  },
)

test('with nothing bound, sessions in files are fine', async () => {
  const { out, status } = await diagnose(await makeMachine())
  expect(out).toContain('\nSessions are ready: local files.\n')
  expect(out).toContain('✓ a session was written, and read by a second process (files)')
  expect(status).toBe(0)
})

test('a second instance with sessions in files is a warning', async () => {
  const { first, status } = await diagnose(await makeMachine({ env: { CF_INSTANCE_INDEX: '1' } }))
  expect({ first, status }).toEqual({ first: 'session.instances', status: 0 })
})

test('doctor asks the Sentinels for the master and examines the master', async () => {
  const { sentinels, machine } = await boundToSentinels()
  const { out, status, first } = await diagnose(machine)
  expect(out).toContain(`✓ 127.0.0.1:${sentinels.master().port} answers after`)
  expect({ status, first }).toEqual({ status: 0, first: 'redis.sentinel' })
})

test('doctor reports frozen Sentinels without waiting for them as long as a start does', async () => {
  const { sentinels, machine } = await boundToSentinels()
  for (const sentinel of sentinels.sentinels) sentinel.signal('SIGSTOP')
  const { first, status, milliseconds } = await diagnose(machine)
  process.stdout.write(`frozen Sentinels: ${milliseconds} ms\n`)
  expect({ first, status }).toEqual({ first: 'redis.master', status: 1 })
  expect(milliseconds).toBeLessThan(15_000)
})

test('the JSON matches the schema, for good systems and bad ones', async () => {
  const server = await startRedis({ password: CANARY })
  onTestFinished(server.stop)
  const { host, port } = server
  const good = await makeMachine({
    services: [{ name: 'app-redis-sessions', credentials: { host, port, password: CANARY } }],
  })
  const machines = [
    good,
    await makeMachine(),
    await makeMachine({ services: [{ name: 'app-redis-sessions', credentials: { 'credhub-ref': '/c' } }] }),
    withEnv(good, { PATH: '/nowhere' }),
    await makeMachine({ services: [{ name: 'app-redis-sessions', credentials: { host, port } }] }),
  ]
  for (const machine of machines) {
    const { out } = await diagnose(machine, '--json')
    const json = JSON.parse(out)
    expect(matchesSchema(json), JSON.stringify(matchesSchema.errors)).toBe(true)
    expect(json.checks.map(({ id }: { id: string }) => id)).toEqual(checks.map(({ id }) => id))
    const explained = JSON.parse((await run(machine, ['explain', '--json'])).out)
    expect(matchesSchema(explained), JSON.stringify(matchesSchema.errors)).toBe(true)
    expect(json.findings).toEqual(json.checks.flatMap(({ findings }: { findings: unknown }) => findings))
  }
})

test('one check runs with the checks that it needs, and -v shows the time of each', async () => {
  const server = await startRedis()
  onTestFinished(server.stop)
  const { host, port } = server
  const machine = await makeMachine({
    services: [{ name: 'app-redis-sessions', credentials: { host, port } }],
  })
  const { out, status } = await diagnose(machine, 'net.connect', '-v')
  const made = [...out.matchAll(/\(([a-z.-]+), \d+ ms\)$/gm)].map(([, id]) => id)
  expect(made).toEqual(['binding.plan', 'php.found', 'net.resolve', 'net.connect'])
  expect(status).toBe(0)
})

test('an unknown check is a usage error that suggests the nearest one', async () => {
  const { err, out, status } = await diagnose(await makeMachine(), 'net.conect')
  expect({ err, out, status }).toEqual({
    err: 'there is no ID `net.conect`; did you mean net.connect? See php-sessions doctor --list\n',
    out: '',
    status: 2,
  })
})

test('--list has every check on a line of at most 80 columns', async () => {
  const { out } = await diagnose(await makeMachine(), '--list')
  const lines = out.trimEnd().split('\n')
  expect(lines.map((line) => line.split(' ')[0])).toEqual(checks.map(({ id }) => id))
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80)
})

test('output is coloured only for a terminal or on request, and colour adds no information to the symbols', async () => {
  const machine = await makeMachine()
  const plain = await diagnose(machine)
  const coloured = await diagnose(machine, '--color=always')
  expect(plain.out).not.toContain('\x1b')
  expect(coloured.out).toContain('\x1b[32m✓\x1b[0m')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  const uncoloured = coloured.out.replace(/\x1b\[\d+m/g, '')
  expect(uncoloured.replaceAll(machine.directory, '')).toBe(plain.out.replaceAll(machine.directory, ''))
})

test('without UTF-8 the symbols are ASCII', async () => {
  const machine = await makeMachine({ services: [{ name: 'redis-sessions', credentials: {} }] })
  const { out } = await diagnose(withEnv(machine, { LANG: 'C' }))
  expect(out).toMatch(/^X {2}no host in the credentials/m)
  expect(out).toMatch(/^ok the ini files/m)
})

async function boundToSentinels() {
  const sentinels = await startSentinels({ password: CANARY })
  onTestFinished(() => sentinels.stop())
  const credentials = {
    master_name: sentinels.masterName,
    sentinels: sentinels.sentinels.map(({ host, port }) => `${host}:${port}`),
    password: CANARY,
  }
  const env = { PHP_SESSIONS_HANDLER: 'native' }
  const machine = await makeMachine({ services: [{ name: 'app-redis-sessions', credentials }], env })
  return { sentinels, machine }
}
