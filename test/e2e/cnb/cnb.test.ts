import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeApp } from '../../../lab/app.ts'
import { CANARY, redisService, vcapServices } from '../../../lab/bindings.ts'
import type { Environment } from '../../../lab/cloudfoundry/lifecycle.ts'
import { paketoHandler, paketoPhp } from '../../../lab/cnb/buildpacks.ts'
import type { CnbLifecycle, Image } from '../../../lab/cnb/lifecycle.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import type { Redis, RedisOptions } from '../../../lab/redis/options.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { makeAuthority } from '../../../lab/servers/certificates.ts'
import { startMemcached } from '../../../lab/servers/memcached.ts'
import type { JsonObject } from '../../../src/core/binding.ts'
import { filesWith } from '../../support/files.ts'
import { fixtureApp } from '../../support/homes/cloudfoundry.ts'
import {
  bind,
  buildWithSessions,
  cnbLifecycles,
  realCnbUnavailable,
  rebind,
  sessionsCnb,
  startImageTwice,
} from '../../support/homes/cnb.ts'
import { tlsForOwn } from '../../support/php/configured.ts'

/** A plain word, which no encoding can hide. */
const WORD = 'CanaryThatMustNotBeFound'

async function redis(options: RedisOptions): Promise<Redis> {
  const server = await startRedis(options)
  onTestFinished(server.stop)
  return server
}

const bindingOf = ({ host, port }: Redis, password: string, more: JsonObject = {}): JsonObject => ({
  type: 'redis',
  host,
  port,
  password,
  ...more,
})

/** Visits two instances in turn as one visitor. */
async function visits(lifecycle: CnbLifecycle, image: Image, env: Environment) {
  const running = await startImageTwice(lifecycle, image, { env })
  try {
    const answers = await running.visit(3)
    return {
      answers,
      counts: answers.map((one) => one.visits),
      logs: running.instances.map(({ log }) => log()),
    }
  } finally {
    await running.stop()
  }
}

describe.each(cnbLifecycles)('%s lifecycle', (_, cnb) => {
  test('with a store bound at build and at launch, two instances share the sessions, and no layer has the secret', async () => {
    const env = bind(bindingOf(await redis({ password: WORD }), WORD))
    const { log, image } = await buildWithSessions(cnb, env)
    expect(log).toContain('Sessions: Redis service sessions, because it is the only')
    expect(log).not.toContain(WORD)
    const { answers, counts, logs } = await visits(cnb, image, env)
    expect(counts).toEqual([1, 2, 3])
    expect(answers[0]).toMatchObject({
      extensions: ['igbinary', 'msgpack', 'redis'],
      cookies: ['PHPSESSIONID'],
    })
    expect(new Set(answers.map(({ servedBy }) => servedBy))).toEqual(new Set([0, 1]))
    for (const one of logs) {
      expect(one.match(/php-sessions: sessions are kept in Redis service sessions/g)).toHaveLength(1)
      expect(one).not.toMatch(/warning|✗/i)
    }
    expect(filesWith('php-sessions', image.layers)).not.toBe('')
    for (const place of [image.layers, image.app]) expect(filesWith(WORD, place)).toBe('')
  })

  test('a store that is bound at launch only is used, by files and by VCAP_SERVICES', async () => {
    const server = await redis({ password: CANARY })
    const { log, image } = await buildWithSessions(cnb)
    expect(log).toContain('No session store at build')
    const credentials = { host: server.host, port: server.port, password: CANARY }
    const ways: readonly Environment[] = [
      bind(bindingOf(server, CANARY)),
      { VCAP_SERVICES: vcapServices({ ...redisService, credentials }) },
    ]
    for (const env of ways) expect((await visits(cnb, image, env)).counts).toEqual([1, 2, 3])
  })

  test('two instances share sessions in Memcached', async () => {
    const server = await startMemcached()
    onTestFinished(server.stop)
    const { image } = await buildWithSessions(cnb)
    const env = bind({ type: 'php-memcached-session', servers: `${server.host}:${server.port}` })
    const { answers, counts } = await visits(cnb, image, env)
    expect(counts).toEqual([1, 2, 3])
    expect(answers[0]?.extensions).toEqual(['igbinary', 'msgpack', 'memcached'])
  })

  test('with nothing bound, sessions stay in local files, nothing is written, and the log has one line', async () => {
    const { image } = await buildWithSessions(cnb)
    const { stdout, stderr } = await cnb.run(image, ['sh', '-c', 'ls "$TMPDIR"; echo "$PHP_INI_SCAN_DIR"'])
    expect(stdout.trim().split('\n')).toEqual([expect.stringMatching(/\/etc:.*\/workspace\/\.php\.ini\.d$/)])
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining('sessions are kept in local files')])
    const { answers } = await visits(cnb, image, {})
    expect(answers[0]).toMatchObject({
      ini: { 'session.save_handler': 'files', 'session.name': 'JSESSIONID' },
    })
  })

  test('a password that is rotated after the build needs a new start, but no build', async () => {
    const server = await redis({ password: 'old' })
    const env = bind(bindingOf(server, 'old'))
    const { image } = await buildWithSessions(cnb, env)
    server.cli('CONFIG', 'SET', 'requirepass', CANARY)
    rebind(env.SERVICE_BINDING_ROOT, { password: CANARY })
    expect((await visits(cnb, image, env)).counts).toEqual([1, 2, 3])
  })

  test('two instances share sessions over TLS with a private CA', async () => {
    const tls = makeAuthority().server()
    const server = await redis({ password: CANARY, tls, ...tlsForOwn() })
    const ca = readFileSync(tls.ca, 'utf8')
    const { image } = await buildWithSessions(cnb)
    const env = bind(
      bindingOf(server, CANARY, { host: 'localhost', port: server.tlsPort ?? 0, tls: true, 'ca.crt': ca }),
    )
    expect((await visits(cnb, image, env)).counts).toEqual([1, 2, 3])
  })

  test("php-sessions wins over Paketo's own handler, whose layer has the old password", async () => {
    const server = await redis({ password: WORD })
    const env = bind(bindingOf(server, WORD, { type: 'php-redis-session' }))
    const buildpacks = [paketoPhp, paketoHandler, sessionsCnb]
    const { ok, image } = await cnb.build({ app: fixtureApp(), buildpacks, env })
    expect(ok).toBe(true)
    expect(filesWith(WORD, image.layers)).toContain('php-redis.ini')
    expect(filesWith(WORD, join(image.layers, 'php-sessions_php-sessions'))).toBe('')
    server.cli('CONFIG', 'SET', 'requirepass', CANARY)
    rebind(env.SERVICE_BINDING_ROOT, { password: CANARY })
    const { answers, counts, logs } = await visits(cnb, image, env)
    expect(counts).toEqual([1, 2, 3])
    expect(answers[0]?.ini).toMatchObject({ 'session.name': 'PHPSESSIONID' })
    for (const log of logs) expect(log).not.toMatch(/warning/i)
  })

  test("the app's own .php.ini.d wins over php-sessions and over Paketo's handler", async () => {
    const server = await redis({ password: CANARY })
    const env = bind(bindingOf(server, CANARY, { type: 'php-redis-session' }))
    const app = fixtureApp({ '.php.ini.d/mine.ini': 'session.name = MINE\nmax_execution_time = 300\n' })
    for (const buildpacks of [
      [paketoPhp, sessionsCnb],
      [paketoPhp, paketoHandler, sessionsCnb],
    ]) {
      const { image } = await cnb.build({ app, buildpacks, env })
      const { answers, counts } = await visits(cnb, image, env)
      expect(counts).toEqual([1, 2, 3])
      expect(answers[0]).toMatchObject({ cookies: ['MINE'], ini: { 'redis.session.lock_expire': '600' } })
    }
  })

  test('a binding that cannot work fails the build, and a start, with its reason', async () => {
    const env = bind({ type: 'redis', password: WORD })
    const broken = await cnb.build({ app: fixtureApp(), buildpacks: [paketoPhp, sessionsCnb], env })
    expect(broken.ok).toBe(false)
    expect(broken.log).toContain('✗ no host in the credentials')
    expect(broken.log).not.toContain(WORD)

    const { image } = await buildWithSessions(cnb)
    const { status, log } = await cnb.run(image, ['echo', 'it runs'], { env })
    expect(status).not.toBe(0)
    expect(log).toContain('✗ no host in the credentials')
    expect(log).not.toMatch(new RegExp(`it runs|${WORD}`))
  })

  test('with PHP_SESSIONS_ON_ERROR=files, a binding that cannot work leads to local files', async () => {
    const { image } = await buildWithSessions(cnb)
    const env = { ...bind({ type: 'redis', password: WORD }), PHP_SESSIONS_ON_ERROR: 'files' }
    const { answers, logs } = await visits(cnb, image, env)
    expect(answers[0]?.ini).toMatchObject({ 'session.save_handler': 'files' })
    expect(logs[0]).toContain('PHP_SESSIONS_ON_ERROR=files: sessions are kept in local files')
  })

  test('a launched process can launch another one: the settings of the first do not get in the way', async () => {
    const server = await redis({ password: CANARY })
    const { image } = await buildWithSessions(cnb)
    const TMPDIR = makeScratch('nested')
    const earlier = join(TMPDIR, 'php-sessions-earlier')
    mkdirSync(earlier)
    writeFileSync(
      join(earlier, '00-php-sessions.ini'),
      'extension = redis\nsession.save_path = "tcp://nowhere"\n',
    )
    const env = { ...bind(bindingOf(server, CANARY)), TMPDIR, PHP_INI_SCAN_DIR: `:${earlier}` }
    const show = 'session_start(); echo ini_get("session.save_handler"), " ", getenv("PHP_INI_SCAN_DIR");'
    const { stdout, stderr } = await cnb.run(image, ['php', '-r', show], { env })
    expect(stdout).toMatch(/^redis /)
    expect(stdout.match(/php-sessions-[^:/]*/g)?.length).toBe(2)
    expect(stdout).not.toContain('earlier')
    expect(stderr).not.toMatch(/warning/i)
    expect(statSync(join(TMPDIR, /php-sessions-[^:]*/.exec(stdout)?.[0] ?? '')).mode & 0o777).toBe(0o700)
  })

  test('a PHP that prints warnings when it starts does no harm', async () => {
    const server = await redis({ password: CANARY })
    const twice = 'display_errors = On\nextension = igbinary\nextension = igbinary\n'
    const { image } = await buildWithSessions(cnb, {}, fixtureApp({ '.php.ini.d/twice.ini': twice }))
    const { stdout } = await cnb.run(image, ['php', '-r', 'echo ini_get("session.save_handler");'], {
      env: bind(bindingOf(server, CANARY)),
    })
    expect(stdout).toContain('already loaded')
    expect(stdout).toMatch(/redis$/)
  })

  test('a person who runs the exec.d program sees the variables', async () => {
    const env = bind(bindingOf(await redis({ password: CANARY }), CANARY))
    const { image } = await buildWithSessions(cnb)
    const program = join(image.layers, 'php-sessions_php-sessions/php-sessions/exec.d/php-sessions')
    // The launcher has run it already, and then nothing has to change.
    expect(await cnb.run(image, [program], { env })).toMatchObject({ status: 0, stdout: '' })
    const { stdout } = await cnb.run(image, ['env', 'PHP_INI_SCAN_DIR=/others', program], { env })
    expect(stdout).toMatch(/^PHP_INI_SCAN_DIR = "\/others:(.*\/php-sessions-[^:]+):\1\/last"\n$/)
  })

  test('the executable is in PATH, so that users can run explain and doctor', async () => {
    const { image } = await buildWithSessions(cnb)
    const explained = await cnb.run(image, ['php-sessions', 'explain'])
    expect(explained).toMatchObject({ status: 0, stdout: expect.stringContaining('local files') })
    const env = bind(bindingOf(await redis({ password: CANARY }), CANARY))
    const { status, stdout } = await cnb.run(image, ['php-sessions', 'doctor'], { env })
    expect({ status, stdout }).toMatchObject({ status: 0, stdout: expect.stringContaining('are ready') })
  })

  test('an app without PHP is not built with php-sessions', async () => {
    const app = makeApp({ 'index.js': '' })
    const { ok } = await cnb.build({ app, buildpacks: [sessionsCnb], env: {} })
    expect(ok).toBe(false)
    const optional = await cnb.build({ app, buildpacks: [paketoPhp, { ...sessionsCnb, isOptional: true }] })
    expect(optional).toMatchObject({ ok: true })
    expect(optional.log).not.toContain('php-sessions')
  })
})

test("the Cloud Native Buildpacks' own lifecycle is tested, too", ({ skip }) => {
  skip(realCnbUnavailable !== undefined, realCnbUnavailable)
  expect(cnbLifecycles.map(([name]) => name)).toEqual(["the lab's", 'the real'])
})
