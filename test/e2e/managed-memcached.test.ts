import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, showsCanary, vcapServices } from '../../lab/bindings.ts'
import { phpBuildpackV5 } from '../../lab/cloudfoundry/php-buildpacks.ts'
import { cookieIn } from '../../lab/php/fastcgi.ts'
import { type Memcached, startMemcached } from '../../lab/servers/memcached.ts'
import { makeVisitor } from '../../lab/web/visitor.ts'
import { fixtureApp, sessionsBuildpack } from '../support/homes/cloudfoundry.ts'
import { bind, buildWithSessions, cnbLifecycles } from '../support/homes/cnb.ts'
import { container, HOSTS, startFpmIn } from '../support/homes/container.ts'
import { lifecycles } from '../support/homes/lifecycles.ts'

// The managed handler for a Memcached with a login, in each home. Nothing of the login is left to php-memcached, so pages
// that keep a session have come by the handler.

const MANAGED = { PHP_SESSIONS_HANDLER: 'managed' }
const sasl = { username: 'app', password: CANARY }

let server: Memcached
beforeAll(async () => {
  server = await startMemcached({ sasl })
})
afterAll(() => server.stop())

const credentials = () => ({ host: server.host, port: server.port, ...sasl })
const services = () => vcapServices({ name: 'memcached-sessions', credentials: credentials() })

/** Three pages of a visitor, through the handler. */
async function expectVisits(url: string): Promise<void> {
  const visitor = makeVisitor(url)
  const visits = []
  for (let i = 0; i < 3; i++) visits.push(JSON.parse((await visitor.get('/')).body))
  expect(visits.map((told) => told.visits)).toEqual([1, 2, 3])
  expect(visits[0].ini.auto_prepend_file).toMatch(/\/php-sessions-handler\.php$/)
  expect(JSON.stringify(visits[0].ini)).not.toContain(CANARY)
}

test.each(lifecycles)('%s lifecycle of Cloud Foundry', async (_, cf) => {
  const options = { services: services(), env: MANAGED }
  const buildpacks = [sessionsBuildpack, phpBuildpackV5]
  const { droplet, log } = await cf.stage({ app: fixtureApp(), buildpacks, ...options })
  const instance = await cf.startInstance(droplet, { index: 0, ...options })
  onTestFinished(instance.stop)
  await expectVisits(instance.url)
  expect(showsCanary(log + instance.log())).toBe(false)
  expect(instance.log()).not.toMatch(/✗|warning|handler\./i)
})

test.each(cnbLifecycles)('%s lifecycle of Cloud Native Buildpacks', async (_, cnb) => {
  const { image } = await buildWithSessions(cnb, MANAGED)
  const env = { ...MANAGED, ...bind({ type: 'memcached', ...credentials() }) }
  const instance = await cnb.startInstance(image, 0, { env })
  onTestFinished(instance.stop)
  await expectVisits(instance.url)
})

describe.each(HOSTS)('exec: %s', (_name, program) => {
  test('php-fpm whose workers are another user', async () => {
    const bound = container({ VCAP_SERVICES: services(), ...MANAGED })
    const page = `session_start(); echo ini_get('session.save_handler'), ' ', $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;`
    const fpm = await startFpmIn(bound, { program, pages: { page } })
    const first = await fpm.ask('page')
    expect(first).toMatch(/user 1$/)
    expect(await fpm.ask('page', cookieIn(first))).toMatch(/user 2$/)
    expect(showsCanary(fpm.log())).toBe(false)
  })
})
