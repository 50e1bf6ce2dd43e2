import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, redisService, vcapServices } from '../../../lab/bindings.ts'
import { phpBuildpackV4, phpBuildpackV5 } from '../../../lab/cloudfoundry/php-buildpacks.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { fixtureApp, sessionsBuildpack } from '../../support/homes/cloudfoundry.ts'
import { lifecycles } from '../../support/homes/lifecycles.ts'

const BUILDPACKS = [
  { name: 'php_buildpack 5', buildpack: phpBuildpackV5 },
  { name: 'php_buildpack 4', buildpack: phpBuildpackV4 },
]

describe.each(lifecycles)('%s lifecycle', (_, cf) => {
  test.each(BUILDPACKS)('doctor examines the PHP of $name over cf ssh', async ({ buildpack }) => {
    const server = await startRedis({ password: CANARY })
    onTestFinished(server.stop)
    const { host, port } = server
    const services = vcapServices({ ...redisService, credentials: { host, port, password: CANARY } })
    const ini =
      'session.cookie_lifetime = 86400\nsession.cookie_httponly = 1\nsession.cookie_samesite = Lax\n'
    const app = fixtureApp({ '.bp-config/php/php.ini.d/app.ini': ini })
    const { droplet } = await cf.stage({ app, buildpacks: [sessionsBuildpack, buildpack], services })
    const instance = await cf.startInstance(droplet, { index: 0, services })
    onTestFinished(instance.stop)

    const { stdout, status } = await cf.openShell(instance, 'LANG=C.UTF-8 php-sessions doctor -v')
    expect(stdout).toContain('on Cloud Foundry\nphp-fpm ')
    expect(stdout).toMatch(
      /^✓ php-fpm \S+ keeps sessions in redis: tcp:\/\/127\.0\.0\.1:\d+ {2}\(php\.effective/m,
    )
    expect(stdout).toMatch(/^✓ the cookie is PHPSESSIONID: the router may choose any instance/m)
    expect(stdout).toMatch(/^ {2}! the cookie lives 86400 seconds .*\(session\.lifetime\)\n.*app\.ini:1\n/m)
    // TLS ends in front of the app.
    expect(stdout).toContain('(session.cookie-secure)')
    expect(stdout).toMatch(/\nSessions are ready: Redis service .*, with 3 warnings\.\n$/)
    expect(status).toBe(0)
  })
})
