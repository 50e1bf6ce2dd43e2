import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { redisService, vcapServices } from '../../lab/bindings.ts'
import { phpBuildpackV4 } from '../../lab/cloudfoundry/php-buildpacks.ts'
import { paketoPhp } from '../../lab/cnb/buildpacks.ts'
import { labCnb } from '../../lab/cnb/lifecycle-lab.ts'
import { PHP_LIMIT } from '../../lab/php/installed.ts'
import { makeScratch } from '../../lab/processes/scratch.ts'
import type { Redis } from '../../lab/redis/options.ts'
import { startRedis } from '../../lab/redis/server.ts'
import { makeVisitor } from '../../lab/web/visitor.ts'
import { HANDLER_TEXT } from '../support/handler-text.ts'
import { fixtureApp, PHP_BUILDPACKS, sessionsBuildpack } from '../support/homes/cloudfoundry.ts'
import { bind, sessionsCnb } from '../support/homes/cnb.ts'
import { container, HOSTS, startFpmIn } from '../support/homes/container.ts'
import { lifecycles } from '../support/homes/lifecycles.ts'

/** With characters that have a meaning in PHP and in php_buildpack 4. */
const PASSWORD = "CanaryThat@@Must@{HOME}Not'Be\\Found"
const WORD = 'CanaryThat'
const MANAGED = { PHP_SESSIONS_HANDLER: 'managed' }

let redis: Redis
beforeAll(async () => {
  redis = await startRedis({ password: PASSWORD })
})
afterAll(() => redis.stop())

const servicesFor = (password: string) =>
  vcapServices({ ...redisService, credentials: { host: redis.host, port: redis.port, password } })

/** The files below a directory that php-sessions has written, or that contain the password. */
function found(directory: string) {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => ({ name, path: join(directory, name) }))
    .filter(({ path }) => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
    .map(({ name, path }) => ({
      name,
      path,
      text: readFileSync(path, 'latin1'),
      mode: statSync(path).mode & 0o777,
    }))
  const named = (name: string) => files.filter((file) => file.name.endsWith(`/${name}`) || file.name === name)
  return {
    handlers: named('php-sessions-handler.php'),
    stores: named('php-sessions-store.php'),
    inis: named('00-php-sessions.ini'),
    withPassword: files.filter(({ text }) => text.includes(WORD)),
  }
}

/** The password that PHP reads from the file with the credentials. */
function readPassword(path: string): string {
  const args = ['-n', '-r', `echo (require $argv[1])['password'];`, '--', path]
  return spawnSync('php', args, { encoding: 'utf8', ...PHP_LIMIT }).stdout
}

/** Checks the files of one start; gives the path of the file with the credentials. */
function checkFiles(directory: string, password: string, storeMode = 0o600): string {
  const { handlers, stores, inis, withPassword } = found(directory)
  expect(handlers.map(({ text, mode }) => ({ text, mode }))).toEqual([
    { text: HANDLER_TEXT.redis, mode: 0o644 },
  ])
  expect(stores.map(({ mode }) => mode)).toEqual([storeMode])
  const store = stores[0]?.path ?? ''
  expect(readPassword(store)).toBe(password)
  expect(withPassword.map(({ path }) => path)).toEqual([store])
  expect(inis.map(({ text }) => /^session\.save_path = .*$/m.exec(text)?.[0])).not.toContain(undefined)
  return store
}

describe.each(lifecycles)('%s lifecycle', (_, cf) => {
  test.each(PHP_BUILDPACKS)(
    '%s: pages run the handler, a shell changes nothing, a new password is written',
    async (_name, buildpack) => {
      const app = fixtureApp({ '.bp-config/php/php.ini.d/zz.ini': 'precision = 9\n' })
      const options = { services: servicesFor(PASSWORD), env: MANAGED }
      const staged = await cf.stage({ app, buildpacks: [sessionsBuildpack, buildpack], ...options })
      expect(staged.log).not.toContain(WORD)
      const instance = await cf.startInstance(staged.droplet, { index: 0, ...options })
      onTestFinished(instance.stop)

      const visitor = makeVisitor(instance.url)
      const visits = []
      for (let i = 0; i < 3; i++) visits.push(JSON.parse((await visitor.get('/')).body))
      expect(visits.map((told) => told.visits)).toEqual([1, 2, 3])
      expect(visits[0].ini.auto_prepend_file).toMatch(/\/php-sessions-handler\.php$/)
      expect(instance.log()).not.toMatch(/CanaryThat|✗|warning|handler\./i)

      const store = checkFiles(instance.directory, PASSWORD)
      const before = readFileSync(store)
      expect(await cf.openShell(instance, 'true')).toMatchObject({ status: 0 })
      expect(checkFiles(instance.directory, PASSWORD)).toBe(store)
      expect(readFileSync(store)).toEqual(before)
      await instance.stop()

      const rotated = { ...options, services: servicesFor(`${PASSWORD}2`) }
      const later = await cf.startInstance(staged.droplet, { index: 0, ...rotated })
      onTestFinished(later.stop)
      checkFiles(later.directory, `${PASSWORD}2`)
    },
  )
})

test('an ini file of the app that bypasses the handler is named by the start and by explain, and PHP’s own handler keeps the sessions', async () => {
  const [, cf] = lifecycles[0] as (typeof lifecycles)[0]
  const app = fixtureApp({
    '.bp-config/php/php.ini.d/mine.ini': 'auto_prepend_file = "@{HOME}/htdocs/first.php"\n',
    'first.php': '<?php header("X-First: yes");',
  })
  const options = { services: servicesFor(PASSWORD), env: MANAGED }
  const { droplet } = await cf.stage({ app, buildpacks: [sessionsBuildpack, phpBuildpackV4], ...options })
  const instance = await cf.startInstance(droplet, { index: 0, ...options })
  onTestFinished(instance.stop)
  for (const text of [instance.log(), (await cf.openShell(instance, 'php-sessions explain')).stdout])
    expect(text).toMatch(/first\.php, which bypasses .* {2}\(handler\.bypassed\)\n {4}from .*\/mine\.ini:1\n/)
  const visitor = makeVisitor(instance.url)
  await visitor.get('/')
  expect(JSON.parse((await visitor.get('/')).body).visits).toBe(2)
})

test('Cloud Native Buildpacks: pages run the handler, and no layer has a file of a start', async () => {
  const built = await labCnb.build({ app: fixtureApp(), buildpacks: [paketoPhp, sessionsCnb], env: MANAGED })
  if (!built.ok) throw new Error(built.log)
  const env = {
    ...MANAGED,
    ...bind({ type: 'redis', host: redis.host, port: redis.port, password: PASSWORD }),
  }
  const instance = await labCnb.startInstance(built.image, 0, { env })
  onTestFinished(instance.stop)
  const told = JSON.parse((await makeVisitor(instance.url).get('/')).body)
  expect(told.ini.auto_prepend_file).toMatch(/\/php-sessions-handler\.php$/)
  checkFiles(instance.directory, PASSWORD)
  const { withPassword, stores, handlers } = found(built.image.layers)
  expect([...withPassword, ...stores, ...handlers]).toEqual([])
})

describe.each(HOSTS)('exec: %s', (_name, [file, ...before]) => {
  const exec = (env: Record<string, string>, script: string) => {
    const directory = makeScratch('managed')
    mkdirSync(join(directory, 'tmp'))
    const args = [...before, 'exec', '--', 'sh', '-c', script]
    const variables = {
      PATH: process.env.PATH,
      TMPDIR: join(directory, 'tmp'),
      VCAP_SERVICES: servicesFor(PASSWORD),
    }
    return {
      directory,
      ...spawnSync(file, args, {
        env: { ...variables, ...MANAGED, ...env },
        cwd: directory,
        encoding: 'utf8',
        ...PHP_LIMIT,
      }),
    }
  }

  test('the files of the handler are gone when the command has ended', () => {
    const { directory, status } = exec({}, 'cp -a "$TMPDIR" ./copy')
    expect(status).toBe(0)
    checkFiles(join(directory, 'copy'), PASSWORD)
    expect(readdirSync(join(directory, 'tmp'))).toEqual([])
  })

  test('only the workers of a php-fpm that root has started can read the credentials', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('only root can start workers of another user')
    const bound = container({ VCAP_SERVICES: servicesFor(PASSWORD), ...MANAGED })
    const page = `echo posix_geteuid(), ' ', (require get_cfg_var('php_sessions.store'))['password'];`
    const server = await startFpmIn(bound, { program: [file, ...before], pages: { page } })
    const id = (option: string) => Number(spawnSync('id', [option, 'nobody'], { encoding: 'utf8' }).stdout)
    const body = (await server.ask('page')).split('\r\n\r\n')[1]
    expect(body).toBe(`${id('-u')} ${PASSWORD}`)
    const store = checkFiles(join(bound.directory, 'tmp'), PASSWORD, 0o640)
    // Root includes this file, too: a worker reads it, and does not write it.
    expect(statSync(store)).toMatchObject({ uid: 0, gid: id('-g') })
    expect(statSync(dirname(store))).toMatchObject({ uid: 0, mode: 0o40711 })
    expect(server.log()).not.toContain(WORD)
  })

  test("a file that the image's PHP runs first still runs, also when exec runs in exec", () => {
    const scan = makeScratch('scan')
    writeFileSync(join(scan, 'first.php'), "<?php echo 'first,';")
    writeFileSync(join(scan, 'x.ini'), `auto_prepend_file = "${scan}/first.php"\n`)
    writeFileSync(
      join(scan, 'page.php'),
      `<?php echo get_cfg_var('php_sessions.auto_prepend_file'), ',', basename(ini_get('auto_prepend_file'));`,
    )
    const env = { PHP_INI_SCAN_DIR: `:${scan}` }
    const expected = `${scan}/first.php,php-sessions-handler.php`
    const php = `php -d display_errors=1 ${scan}/page.php`
    for (const script of [php, `${[file, ...before].join(' ')} exec -- ${php}`])
      expect(exec(env, script).stdout.replace('first,', '')).toBe(expected)
  })
})
