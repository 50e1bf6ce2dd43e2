import { describe, expect, onTestFinished, test } from 'vitest'
import { makeApp } from '../../lab/app.ts'
import type { Buildpack, InstanceOptions, Lifecycle } from '../../lab/cloudfoundry/lifecycle.ts'
import { runCommand } from '../../lab/processes/command.ts'
import { makeVisitor } from '../../lab/web/visitor.ts'
import { lifecycles, realUnavailable } from '../support/homes/lifecycles.ts'

/** Answers every request with its environment. */
const SERVER = `<?php header('Content-Type: text/plain'); foreach (getenv() as $k => $v) echo "$k=$v\\n";`
const START = 'exec php -n -S "127.0.0.1:$PORT" server.php'

const app = makeApp({
  'server.php': SERVER,
  '.profile.d/own.sh': 'export FROM_APP_PROFILE_D="$FROM_PROFILE_D, app"',
  '.profile': 'export FROM_PROFILE="$FROM_APP_PROFILE_D, profile"',
})

const last: Buildpack = {
  name: 'last',
  directory: makeApp({
    'bin/supply': '#!/bin/bash\necho "last supply $4"\n',
    'bin/finalize': '#!/bin/bash\necho "last finalize $4"\necho "export FROM_PROFILE_D=deps" > "$5/x.sh"\n',
    'bin/release': `#!/bin/bash\nprintf '%s\\n' 'default_process_types:' '  web: ${START}'\n`,
  }),
}

test("Cloud Foundry's own lifecycle is tested, too", ({ skip }) => {
  if (realUnavailable !== undefined) skip(realUnavailable)
  expect(lifecycles.map(([name]) => name)).toContain('the real')
})

describe.each(lifecycles)('%s lifecycle', (_, lifecycle) => {
  test('staging runs supply of all buildpacks in order, then finalize of the last', async () => {
    const first = makeBuildpack('first', 'echo "first supply $# $4, $(ls -d "$1/.profile" "$3/$4" | wc -l)"')
    const { ok, log } = await lifecycle.stage({ app, buildpacks: [first, last] })
    expect(log).toMatch(/first supply 4 0, 2\n(.*\n)*last supply 1\n(.*\n)*last finalize 1\n/)
    expect(ok).toBe(true)
  })

  test('the indexes of ten buildpacks have two digits', async () => {
    const nine = Array.from({ length: 9 }, (_, n) => makeBuildpack(`bp${n}`, 'echo "supply $4"'))
    const { log } = await lifecycle.stage({ app, buildpacks: [...nine, last] })
    expect(log).toContain('supply 00\n')
    expect(log).toContain('last finalize 09\n')
  })

  test('the exit status shows which step has failed', async () => {
    const failing = makeBuildpack('failing', 'echo no; exit 7')
    const supply = await lifecycle.stage({ app, buildpacks: [failing, last] })
    expect(supply).toMatchObject({ ok: false, exitStatus: 225 })
    expect(supply.log).toMatch(/no\n(.*\n)*.*Failed to run all supply scripts: exit status 7/)

    const asLast = makeApp({ 'bin/finalize': '#!/bin/bash\nexit 9\n' })
    const finalize = await lifecycle.stage({ app, buildpacks: [{ name: 'x', directory: asLast }] })
    expect(finalize).toMatchObject({ ok: false, exitStatus: 223 })
    expect(finalize.log).toContain('exit status 9')
  })

  test('staging and the app have a clean environment', async () => {
    const showing = makeBuildpack('showing', 'env | sort | cut -d= -f1 | paste -sd " "')
    const services = '{"redis":[ ]}'
    const staged = await lifecycle.stage({ app, buildpacks: [showing, last], services, env: { OWN: '1' } })
    const names = /^.*\bVCAP_SERVICES\b.*$/m.exec(staged.log)?.[0].split(' ')
    expect(names).toEqual(
      expect.arrayContaining(['CF_STACK', 'HOME', 'MEMORY_LIMIT', 'OWN', 'PATH', 'TMPDIR']),
    )
    expect(names).not.toContain('npm_config_user_agent')

    const instance = await start(lifecycle, staged.droplet, { index: 3, services })
    const env = await environmentOf(instance.url)
    expect(env.VCAP_SERVICES).toBe(services)
    expect(env).toMatchObject({ CF_INSTANCE_INDEX: '3', PORT: String(instance.port) })
    expect(env).toMatchObject({
      HOME: `${instance.directory}/app`,
      DEPS_DIR: `${instance.directory}/deps`,
      TMPDIR: `${instance.directory}/tmp`,
    })
    expect(JSON.parse(env.VCAP_APPLICATION ?? '')).toMatchObject({ instance_index: 3, port: instance.port })
    expect(env).not.toHaveProperty('CF_STACK')
  })

  test('the launcher sources profile.d, then the profile.d and the .profile of the app', async () => {
    const { droplet } = await lifecycle.stage({ app, buildpacks: [last] })
    const instance = await start(lifecycle, droplet, { index: 0 })
    expect((await environmentOf(instance.url)).FROM_PROFILE).toBe('deps, app, profile')

    const task = await lifecycle.runTask(droplet, 'echo "$FROM_PROFILE"; echo oh >&2; exit 5')
    expect(task).toMatchObject({ status: 5, stderr: 'oh\n' })
    expect(task.stdout).toContain('deps, app, profile\n')
    const shell = await lifecycle.openShell(
      instance,
      'echo "$FROM_APP_PROFILE_D, ${FROM_PROFILE:-none}, $PORT"',
    )
    expect(shell.stdout).toBe(`deps, app, none, ${instance.port}\n`)
  })

  test('a droplet gets other services at its next start', async () => {
    const { droplet } = await lifecycle.stage({ app, buildpacks: [last], services: { redis: [] } })
    const list = await runCommand({ file: 'tar', args: ['-tzf', droplet] })
    const top = new Set(list.stdout.split('\n').map((path) => path.split('/')[1]))
    expect(top).toEqual(
      new Set([undefined, '', 'app', 'deps', 'logs', 'profile.d', 'staging_info.yml', 'tmp']),
    )
    const instance = await start(lifecycle, droplet, { index: 0, services: { memcached: [] } })
    expect((await environmentOf(instance.url)).VCAP_SERVICES).toBe('{"memcached":[]}')
  })

  test('an `exit` in a profile script ends the app, and the error shows its log', async () => {
    const own = makeApp({ 'server.php': SERVER, '.profile.d/no.sh': 'echo not today; exit 1' })
    const { droplet } = await lifecycle.stage({ app: own, buildpacks: [last] })
    await expect(lifecycle.startInstance(droplet, { index: 0 })).rejects.toThrow('not today')
  })

  test('the command in a Procfile wins', async () => {
    const own = makeApp({ 'server.php': SERVER, Procfile: `web: export OURS=1; ${START}\n` })
    const { droplet } = await lifecycle.stage({ app: own, buildpacks: [last] })
    const instance = await start(lifecycle, droplet, { index: 0 })
    expect(await environmentOf(instance.url)).toMatchObject({ OURS: '1' })
  })
})

function makeBuildpack(name: string, supply: string): Buildpack {
  return { name, directory: makeApp({ 'bin/supply': `#!/bin/bash\n${supply}\n` }) }
}

async function start(lifecycle: Lifecycle, droplet: string, options: InstanceOptions) {
  const instance = await lifecycle.startInstance(droplet, options)
  onTestFinished(instance.stop)
  return instance
}

async function environmentOf(url: string): Promise<Record<string, string>> {
  const { body } = await makeVisitor(url).get('/')
  return Object.fromEntries(body.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)))
}
