import { existsSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { COUNTER_PAGE, makeApp } from '../../lab/app.ts'
import type { Buildpack, Instance } from '../../lab/cloudfoundry/lifecycle.ts'
import { labLifecycle } from '../../lab/cloudfoundry/lifecycle-lab.ts'
import { phpBuildpackV4, phpBuildpackV5 } from '../../lab/cloudfoundry/php-buildpacks.ts'
import { runCommand } from '../../lab/processes/command.ts'
import { startRouter } from '../../lab/web/router.ts'
import { makeVisitor } from '../../lab/web/visitor.ts'
import { lifecycles } from '../support/homes/lifecycles.ts'

const REDIS = {
  redis: [{ name: 'app-redis-sessions', credentials: { host: 'h', port: 6379, password: 'C4nary' } }],
}

const app = makeApp({ 'index.php': COUNTER_PAGE, 'ini.php': '<?php echo ini_get($_GET["name"]);' })

const versions = [
  ['v5', phpBuildpackV5],
  ['v4', phpBuildpackV4],
] as const

test.each(versions)(
  '%s: pages, tasks and shells run PHP with the settings of the buildpack',
  async (_version, buildpack) => {
    const { droplet } = await stage(buildpack)
    const instance = await start(droplet, 0)
    const page = await makeVisitor(instance.url).get('/ini.php?name=session.name')
    expect(page).toMatchObject({ status: 200, body: 'JSESSIONID' })

    const php = `php -r 'echo ini_get("session.name"), " ", php_ini_loaded_file(), " ", getenv("HOME");'`
    const task = await labLifecycle.runTask(droplet, php)
    expect(task).toMatchObject({ status: 0, stderr: '' })
    expect(task.stdout).toMatch(/^JSESSIONID \/.*\/php\/etc\/php.ini \/.*\/app$/)
    const shell = await labLifecycle.openShell(instance, php)
    expect(shell.stdout).toContain(instance.directory)
  },
)

test.each(versions)(
  '%s: PHP loads no extension of the distribution by itself',
  async (_version, buildpack) => {
    const { droplet } = await stage(buildpack)
    const loaded = 'php -r \'echo (int) extension_loaded("redis"), php_ini_scanned_files();\''
    expect((await labLifecycle.runTask(droplet, loaded)).stdout).toMatch(/^0(\/\S+include-path.ini\n)?$/)
  },
)

test.each(versions)('%s: a session in files is lost with its instance', async (_version, buildpack) => {
  const { droplet } = await stage(buildpack)
  const instances = await Promise.all([start(droplet, 0), start(droplet, 1)])
  const router = await startRouter()
  onTestFinished(router.stop)
  for (const instance of instances) router.add(instance)

  const visitor = makeVisitor(router.url)
  const first = await visitor.get('/')
  expect(first.body).toBe('1')
  expect((await visitor.get('/')).servedBy).toBe(first.servedBy)
  expect((await visitor.get('/')).body).toBe('3')

  await instances.find(({ index }) => index === first.servedBy)?.kill()
  const afterCrash = await visitor.get('/')
  expect(afterCrash.servedBy).not.toBe(first.servedBy)
  expect(afterCrash.body).toBe('1')
})

test.each(lifecycles)(
  'v5 on %s lifecycle: a service whose name contains redis-sessions makes staging fail (php-buildpack#1291)',
  async (_, lifecycle) => {
    const staged = await lifecycle.stage({ app, buildpacks: [phpBuildpackV5], services: REDIS })
    expect(staged).toMatchObject({ ok: false, exitStatus: 223 })
    expect(staged.log).toContain('open php/etc/php.ini: no such file or directory')
    expect(staged.log).toContain('exit status 14')
  },
)

test.each(lifecycles)('v4 on %s lifecycle: the password is in the droplet', async (_, lifecycle) => {
  const { droplet } = await lifecycle.stage({ app, buildpacks: [phpBuildpackV4], services: REDIS })
  const { stdout } = await runCommand({ file: 'tar', args: ['-xzOf', droplet, './app/php/etc/php.ini'] })
  expect(stdout).toContain('session.save_path = "tcp://h:6379?auth=C4nary"')
})

test('v4: PHP reads the settings of the app in php.ini.d, with names replaced by the environment', async () => {
  const own = makeApp({
    'index.php': '<?php echo ini_get("memory_limit"), ini_get("error_prepend_string");',
    '.bp-config/php/php.ini.d/own.ini': 'memory_limit = 77M\nerror_prepend_string = "@@ @{COLOUR} @NONE"\n',
  })
  const { droplet } = await labLifecycle.stage({ app: own, buildpacks: [phpBuildpackV4] })
  const instance = await start(droplet, 0, { COLOUR: 'red' })
  expect((await makeVisitor(instance.url).get('/')).body).toBe('77M@ red @NONE')
})

test('v5: a file env/BUILD_DIR of a buildpack before it diverts its edits to another directory', async () => {
  const shadow = makeApp({ 'php/etc/php.ini': '', 'php/etc/php-fpm.conf': '' })
  const first = supplying(`mkdir "$3/$4/env"; printf %s '${shadow}' > "$3/$4/env/BUILD_DIR"`)
  const staged = await labLifecycle.stage({ app, buildpacks: [first, phpBuildpackV5], services: REDIS })
  expect(staged.ok, staged.log).toBe(true)
  const ini = await labLifecycle.runTask(staged.droplet, 'cat "$PHPRC/php.ini"')
  expect(ini.stdout).toContain('\nextension=redis.so\n')
  expect(ini.stdout).not.toContain('C4nary')
})

test('v5: a command that fails in a profile script of a buildpack ends the app', async () => {
  const first = supplying('mkdir "$3/$4/profile.d"; echo "echo sourced; false" > "$3/$4/profile.d/x.sh"')
  const { droplet } = await labLifecycle.stage({ app, buildpacks: [first, phpBuildpackV5] })
  await expect(labLifecycle.startInstance(droplet, { index: 0 })).rejects.toThrow('sourced\nsourced')
  const task = await labLifecycle.runTask(droplet, 'echo the task runs')
  expect(task.stdout).toContain('the task runs')
})

test('v4: another name for the service, from env/, keeps the password out of php.ini', async () => {
  const name = 'env/REDIS_SESSION_STORE_SERVICE_NAME'
  const first = supplying(`mkdir "$3/$4/env"; printf %s none-of-yours > "$3/$4/${name}"`)
  const staged = await labLifecycle.stage({ app, buildpacks: [first, phpBuildpackV4], services: REDIS })
  expect(staged.ok, staged.log).toBe(true)
  const ini = await labLifecycle.runTask(staged.droplet, 'cat "$PHPRC/php.ini"')
  expect(ini.stdout).toContain('session.save_handler = files')
  expect(ini.stdout).not.toContain('C4nary')
})

test('v4: a file env/BUILD_DIR of a buildpack before it diverts all its work to another directory', async () => {
  const elsewhere = makeApp({})
  const first = supplying(`mkdir "$3/$4/env"; printf %s '${elsewhere}' > "$3/$4/env/BUILD_DIR"`)
  const { droplet } = await labLifecycle.stage({ app, buildpacks: [first, phpBuildpackV4] })
  const list = await runCommand({ file: 'tar', args: ['-tzf', droplet] })
  expect(list.stdout).toContain('./app/index.php\n')
  expect(list.stdout).not.toContain('./app/php/')
  expect(existsSync(`${elsewhere}/php/etc/php.ini`)).toBe(true)
})

function supplying(supply: string): Buildpack {
  return { name: 'first', directory: makeApp({ 'bin/supply': `#!/bin/bash\n${supply}\n` }) }
}

async function stage(buildpack: Buildpack, services = {}) {
  const staged = await labLifecycle.stage({ app, buildpacks: [buildpack], services })
  expect(staged.log).toContain('Installing PHP')
  expect(staged.ok, staged.log).toBe(true)
  return staged
}

async function start(droplet: string, index: number, env = {}): Promise<Instance> {
  const instance = await labLifecycle.startInstance(droplet, { index, env })
  onTestFinished(instance.stop)
  return instance
}
