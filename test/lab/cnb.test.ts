import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeApp } from '../../lab/app.ts'
import { paketoHandler, paketoPhp } from '../../lab/cnb/buildpacks.ts'
import type { CnbBuildpack } from '../../lab/cnb/lifecycle.ts'
import { bind, cnbLifecycles } from '../support/homes/cnb.ts'

/** A buildpack of these files, for tests of the lifecycle alone. */
function buildpack(id: string, files: Readonly<Record<string, string>>): CnbBuildpack {
  const toml = `api = "0.10"\n[buildpack]\nid = "${id}"\nversion = "1.0.0"\n[[targets]]\nos = "linux"\n`
  const directory = makeApp({ 'buildpack.toml': toml, 'bin/detect': '#!/bin/sh\n', ...files })
  // The build may run as another user.
  chmodSync(directory, 0o755)
  return { id, version: '1.0.0', directory }
}

describe.each(cnbLifecycles)('%s lifecycle', (_, cnb) => {
  test('detect and build get the directories of the specification, and the variables of the user', async () => {
    const print =
      'env | grep -E "^(CNB_[A-Z_]*_(DIR|PATH)|MINE)=" | sed -E "s/=.*(layers|platform|plan).*/=\\\\1/" | sort'
    const { log } = await cnb.build({
      app: makeApp({ 'a.txt': 'of the app' }),
      buildpacks: [buildpack('lab/say', { 'bin/build': `#!/bin/sh\n${print}\ncat a.txt\n` })],
      env: { MINE: 'm' },
    })
    for (const line of [
      'CNB_LAYERS_DIR=layers',
      'CNB_PLATFORM_DIR=platform',
      'CNB_BP_PLAN_PATH=plan',
      'MINE=m',
    ])
      expect(log).toContain(`${line}\n`)
    expect(log).toContain('CNB_BUILDPACK_DIR=')
    expect(log).toContain('of the app')
  })

  test('an optional buildpack that does not pass is left out; a buildpack that fails to build ends the build', async () => {
    const no = buildpack('lab/no', {
      'bin/detect': '#!/bin/sh\nexit 100\n',
      'bin/build': '#!/bin/sh\necho no-built\n',
    })
    const fails = buildpack('lab/fails', { 'bin/build': '#!/bin/sh\necho its reason\nexit 3\n' })
    const after = buildpack('lab/after', { 'bin/build': '#!/bin/sh\necho after-built\n' })
    const app = makeApp({ 'a.txt': '' })
    expect(await cnb.build({ app, buildpacks: [no] })).toMatchObject({ ok: false })
    const { ok, log } = await cnb.build({ app, buildpacks: [{ ...no, isOptional: true }, fails, after] })
    expect(ok).toBe(false)
    expect(log).toContain('its reason')
    expect(log).not.toMatch(/no-built|after-built/)
  })

  test('variables come before exec.d programs, which come in the order of the buildpacks and see each other', async () => {
    const layer = (name: string, script: string) => `#!/bin/sh
mkdir -p "$CNB_LAYERS_DIR/one/exec.d" "$CNB_LAYERS_DIR/one/env.launch"
printf '[types]\\nlaunch = true\\n' > "$CNB_LAYERS_DIR/one.toml"
printf ${name} > "$CNB_LAYERS_DIR/one/env.launch/ALL.append"
printf - > "$CNB_LAYERS_DIR/one/env.launch/ALL.delim"
cat > "$CNB_LAYERS_DIR/one/exec.d/program" <<'PROGRAM'
#!/bin/sh
${script}
PROGRAM
chmod 755 "$CNB_LAYERS_DIR/one/exec.d/program"
`
    const buildpacks = [
      buildpack('lab/z-first', { 'bin/build': layer('first', 'echo "SEEN = \\"$ALL\\"" >&3; echo said') }),
      buildpack('lab/a-second', { 'bin/build': layer('second', 'echo "AGAIN = \\"$SEEN, in $(ls)\\"" >&3') }),
    ]
    const { image } = await cnb.build({ app: makeApp({ 'a.txt': '' }), buildpacks })
    const { stdout, log } = await cnb.run(image, ['sh', '-c', 'echo "$AGAIN"'])
    expect(stdout).toContain('first-second, in a.txt\n')
    expect(log).toContain('said')

    const failing = [buildpack('lab/failing', { 'bin/build': layer('x', 'echo its reason >&2; exit 3') })]
    const { image: broken } = await cnb.build({ app: makeApp({ 'a.txt': '' }), buildpacks: failing })
    const ended = await cnb.run(broken, ['echo', 'it runs'])
    expect(ended.status).not.toBe(0)
    expect(ended.log).toContain('its reason')
    expect(ended.log).not.toContain('it runs')
  })

  test("Paketo's PHP scans its own directories, then the app's, then that of its session handler", async () => {
    const env = bind({ type: 'php-redis-session', host: 'h', port: '1', password: 'p w' })
    const app = makeApp({ 'index.php': '' })
    const { image } = await cnb.build({ app, buildpacks: [paketoPhp, paketoHandler], env })
    const { stdout } = await cnb.run(image, ['printenv', 'PHP_INI_SCAN_DIR'])
    const handler = join(image.layers, 'lab_php-redis-session-handler/php-redis-config')
    const etc = join(image.layers, 'lab_php-dist/php/etc')
    expect(stdout.trim().split(':')).toEqual([etc, `${etc}/php.ini.d`, `${image.app}/.php.ini.d`, handler])
    expect(readFileSync(join(handler, 'php-redis.ini'), 'utf8')).toContain('"tcp://h:1?auth=p+w"')
    const unbound = await cnb.build({ app, buildpacks: [paketoPhp, paketoHandler] })
    expect(unbound.ok).toBe(true)
    expect(unbound.log).not.toContain('session-handler')
  })
})
