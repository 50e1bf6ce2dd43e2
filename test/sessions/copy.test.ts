import { describe, expect, test } from 'vitest'
import { type Service, vcapServices } from '../../lab/bindings.ts'
import { main } from '../../src/cli/main.ts'
import type { Program } from '../../src/host/host.ts'
import { WELL } from '../doctor/answers.ts'
import { readPage } from '../support/docs/pages.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { fakePhp } from '../support/host/fake-php.ts'

const redis = (name: string): Service => ({
  name,
  tags: ['redis'],
  credentials: { host: `${name}.example`, port: 6379, password: 'pw-s3cret' },
})
const [OLD, NEW] = [redis('old'), redis('new-redis-sessions')]
const POOL: Service = { name: 'pool', tags: ['memcached'], credentials: { servers: 'a:11211,b:11211' } }
const DONE = {
  ...{ done: true, copied: 98_000, bytes: 98_000_000, seconds: 12.3 },
  skipped: { there: 1_900, expired: 80, locked: 0, refused: 0 },
}
const STOPPED = {
  ...{ done: false, copied: 10, bytes: 100, seconds: 1 },
  skipped: { there: 0, expired: 0, locked: 2, refused: 1 },
}

/** Runs copy where PHP answers this. */
function copy(services: readonly Service[], args: readonly string[], answer: object = DONE) {
  // Where nothing is bound, PHP keeps them in files.
  const isBound = services.includes(NEW)
  const text = JSON.stringify(WELL.settings)
  const said = JSON.parse(isBound ? text : text.replaceAll('"value":"redis"', '"value":"files"'))
  const settings = fakePhp({ settings: said, 'look-around': { versionId: 80236, lines: [] } })
  const asked: string[] = []
  const sizes: number[] = []
  const php = (program: Program) => {
    if (program.args.at(-1) !== 'copy') return settings(program)
    asked.push(program.stdin)
    sizes.push(...program.args.map((arg) => arg.length))
    return { status: 0, stdout: JSON.stringify(answer) }
  }
  const host = fakeHost({ VCAP_SERVICES: vcapServices(...services) }, {}, php)
  const status = main(host, ['copy', '--app', '/app', ...args])
  return { status, ...host.output, asked, sizes }
}

describe('what copy says', () => {
  test.each<[string, readonly Service[], readonly string[], object?]>([
    ['done', [OLD, NEW], ['--from', 'old']],
    ['stopped, and some could not be copied', [OLD, NEW], ['--from', 'old'], STOPPED],
    ['JSON', [OLD, NEW], ['--from', 'old', '--json']],
    ['from a directory', [NEW], ['--from', '2;/var/lib/php/sessions']],
    ['one prefix to another', [NEW], ['--from', 'new-redis-sessions', '--from-prefix', 'shop:']],
    ['without --from', [NEW], []],
    ['to itself', [NEW], ['--from', 'new-redis-sessions']],
    ['from a service that is not bound', [NEW], ['--from', 'odl']],
    ['from a pool', [POOL, NEW], ['--from', 'pool']],
    ['where nothing keeps the sessions', [OLD], ['--from', 'old']],
    ['the store fails', [OLD, NEW], ['--from', 'old'], { failed: 'old.example:6379: Connection refused' }],
  ])('%s', (_what, services, args, answer) => {
    const { status, out, err } = copy(services, args, answer)
    expect(`${out}${err}exit status ${status}\n`).toMatchSnapshot()
    expect(out + err).not.toContain('s3cret')
  })
})

test('a prefix replaces that of one side only', () => {
  const { asked } = copy([NEW], ['--from', 'new-redis-sessions', '--from-prefix', 'shop:'])
  const { stores } = JSON.parse(asked[0] ?? '')
  expect([stores.from.settings.prefix, stores.to.settings.prefix]).toEqual(['shop:', 'PHPREDIS_SESSION:'])
})

test('the program fits into one argument of a command line', () => {
  // MAX_ARG_STRLEN of Linux.
  const memcached = { name: 'mc', tags: ['memcached'], credentials: { host: 'mc.example' } }
  expect(Math.max(...copy([memcached, NEW], ['--from', 'mc']).sizes)).toBeLessThan(131_072)
})

test('docs/copy.schema.json has every field of --json, and no other', () => {
  const json = JSON.parse(copy([OLD, NEW], ['--from', 'old', '--json']).out)
  const schema = JSON.parse(readPage('docs/copy.schema.json'))
  expect(Object.keys(json)).toEqual(schema.required)
  expect(Object.keys(schema.properties)).toEqual(schema.required)
  expect(Object.keys(json.skipped)).toEqual(schema.properties.skipped.required)
  expect(Object.keys(json.from)).toEqual(schema.$defs.place.required)
})
