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
    const php = fakePhp({ 'look-around': { versionId: 80401, phpredis: '6.2.0', failures, master: null } })
    const host = fakeHost({ VCAP_SERVICES: vcapServices(service) }, {}, php)
    main(host, [command])
    const said = host.output.out + host.output.err
    const lines = said.split('\n').filter((line) => /Sentinels s0|no Sentinel names/.test(line))
    expect(lines).not.toEqual([])
    for (const line of lines) expect(line.length).toBeLessThan(600)
    for (const line of lines) expect(line).toMatch(/s8:26379.*and 2991 more/)
  },
)
