import { expect, test } from 'vitest'
import { vcapServices } from '../../lab/bindings.ts'
import { main } from '../../src/cli/main.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { fakePhp } from '../support/host/fake-php.ts'

test.each(['ini', 'explain', 'doctor'])(
  'of thousands of Sentinels that do not answer %s names the first',
  (command) => {
    const sentinels = Array.from({ length: 3000 }, (_, i) => `s${i}:26379`)
    const service = { name: 'redis-sessions', credentials: { master_name: 'm', sentinels } }
    const failures = sentinels.map((address) => `${address} Connection refused`)
    const php = fakePhp({
      'look-around': { versionId: 80401, loaded: ['redis'], phpredis: '6.2.0', failures, master: null },
    })
    const host = fakeHost({ VCAP_SERVICES: vcapServices(service) }, {}, php)
    main(host, [command])
    const said = host.output.out + host.output.err
    const lines = said.split('\n').filter((line) => /Sentinels s0|no Sentinel names/.test(line))
    expect(lines).not.toEqual([])
    for (const line of lines) expect(line.length).toBeLessThan(600)
    for (const line of lines) expect(line).toMatch(/s8:26379.*and 2991 more/)
  },
)

test.each([
  ['php-fpm', ['exec', '--app', '/app', '--', 'php-fpm']],
  ['nothing', ['explain', '--app', '/app']],
])(
  'an extension that a start will load asks the Sentinels, and its version counts, before %s',
  (_what, args) => {
    const service = {
      name: 'redis-sessions',
      credentials: { master_name: 'm', sentinels: ['s:26379'], tls: true },
    }
    const asked: string[] = []
    const host = fakeHost(
      { VCAP_SERVICES: vcapServices(service), KUBERNETES_SERVICE_HOST: '10.0.0.1' },
      {},
      (program) => {
        const isLoaded = program.args.includes('extension=redis')
        if (program.args.at(-1) === 'look-around') asked.push(program.args.join(' '))
        const master = program.stdin.includes('sentinels') ? { host: '10.0.0.9', port: 6390 } : null
        const told = isLoaded ? { phpredis: '6.2.0', master } : { phpredis: null, master: null }
        const extensions = { loaded: ['igbinary'], loadable: ['igbinary', 'redis'], unloaded: ['redis'] }
        const answer = { versionId: 80401, ...extensions, ...told }
        return fakePhp({ 'look-around': answer })(program)
      },
    )
    expect([main(host, args), host.output.err]).toEqual([0, expect.not.stringContaining('✗')])
    expect(host.output.err + host.output.out).toContain('redis-sessions (')
    expect(asked).toHaveLength(2)
    expect(asked[1]).not.toContain('extension=igbinary')
  },
)

test('a start with a pool asks the php-memcached that it will load for its library', () => {
  const service = { name: 'memcached-sessions', credentials: { servers: 'a,b' } }
  const env = { VCAP_SERVICES: vcapServices(service), KUBERNETES_SERVICE_HOST: '10.0.0.1' }
  const host = fakeHost(env, {}, (program) => {
    const libmemcached = program.args.includes('extension=memcached') ? '1.0.18' : null
    const extensions = { loaded: [], loadable: ['memcached'], unloaded: ['memcached'] }
    return fakePhp({ 'look-around': { versionId: 80401, libmemcached, ...extensions } })(program)
  })
  expect(main(host, ['explain', '--app', '/app'])).toBe(0)
  expect(host.output.out).toMatch(/memcached\.sess_server_failure_limit = 2/)
})
