import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { startRedis } from '../../lab/redis.ts'
import { renderIni } from '../../src/core/ini.ts'
import { loadExtensions, runPhp } from '../support/php.ts'
import { planFor } from '../support/plan.ts'
import { PROPERTY_RUNS, passwords } from '../support/texts.ts'

const HOURS = 3_600_000
const server = await startRedis()
afterAll(() => server.stop())

const EXTENSIONS = loadExtensions('igbinary', 'msgpack', 'redis')
const SESSION =
  'session_id("fixed"); echo session_start() ? "started " : "failed "; echo $_SESSION["n"] = ($_SESSION["n"] ?? 0) + 1;'

function runSession(credentials: { username?: string; password: string }): string {
  const plan = planFor([
    { name: 'redis-sessions', credentials: { host: server.host, port: server.port, ...credentials } },
  ])
  expect(plan.findings).toEqual([])
  // A fixed id is what strict mode is there to refuse.
  const ini = `${EXTENSIONS}${renderIni(plan.directives)}session.use_strict_mode = 0\n`
  return runPhp(ini, SESSION).toString()
}

test(
  `phpredis logs in with ${PROPERTY_RUNS} arbitrary passwords of an ACL user`,
  () => {
    fc.assert(
      fc.property(passwords, (password) => {
        server.cli('ACL', 'SETUSER', 'app', 'reset', 'on', `>${password}`, '~*', '+@all')
        server.cli('FLUSHALL')
        expect(runSession({ username: 'app', password })).toBe('started 1')
        expect(runSession({ username: 'app', password })).toBe('started 2')
      }),
      { numRuns: PROPERTY_RUNS },
    )
  },
  HOURS,
)

test('a wrong password does not log in: the judge can say no', () => {
  server.cli('ACL', 'SETUSER', 'app', 'reset', 'on', '>right', '~*', '+@all')
  expect(runSession({ username: 'app', password: 'wrong' })).not.toContain('started')
})
