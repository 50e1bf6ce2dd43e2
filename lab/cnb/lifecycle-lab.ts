import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '../cloudfoundry/lifecycle.ts'
import { runCommand } from '../processes/command.ts'
import { runImagesWith } from './instances.ts'
import { escapeId, launcher } from './launcher.ts'
import type { BuildOptions, Built, CnbBuildpack, CnbLifecycle } from './lifecycle.ts'
import { type BuildPlace, makeBuildPlace } from './place.ts'

const NOT_FOR_THIS_APP = 100

/** The lifecycle of Cloud Native Buildpacks, rewritten for the lab: it needs bash, but neither Go nor root. */
export const labCnb: CnbLifecycle = { build, ...runImagesWith(launcher) }

/** Detects and builds with each buildpack in turn. Unlike the real one, it does not read the build plan. */
async function build(options: BuildOptions): Promise<Built> {
  const place = makeBuildPlace(options)
  const image = { app: place.app, layers: place.layers }
  const logs: string[] = []
  const passed: CnbBuildpack[] = []
  for (const buildpack of options.buildpacks) {
    const { status, log } = await runScript(place, buildpack, 'detect', options.env)
    if (status === 0) passed.push(buildpack)
    else if (status !== NOT_FOR_THIS_APP || buildpack.isOptional !== true) {
      logs.push(log, `${buildpack.id} does not pass: exit status ${status}\n`)
      return { ok: false, log: logs.join(''), image }
    }
  }
  for (const buildpack of passed) {
    const { status, log } = await runScript(place, buildpack, 'build', options.env)
    logs.push(log)
    if (status !== 0) {
      logs.push(`failed to build: exit status ${status}\n`)
      return { ok: false, log: logs.join(''), image }
    }
  }
  mkdirSync(join(place.layers, 'config'))
  const order = passed.map(({ id }) => `[[buildpacks]]\nid = "${id}"\n`)
  writeFileSync(join(place.layers, 'config/metadata.toml'), order.join(''))
  return { ok: true, log: logs.join(''), image }
}

async function runScript(
  { scratch, app, layers, platform }: BuildPlace,
  { id, directory }: CnbBuildpack,
  name: 'detect' | 'build',
  env: Environment = {},
) {
  const plan = join(scratch, 'plan.toml')
  writeFileSync(plan, '')
  const own = join(layers, escapeId(id))
  mkdirSync(own, { recursive: true })
  const contract =
    name === 'detect' ? { CNB_BUILD_PLAN_PATH: plan } : { CNB_LAYERS_DIR: own, CNB_BP_PLAN_PATH: plan }
  return runCommand({
    file: join(directory, 'bin', name),
    cwd: app,
    ordered: true,
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: scratch,
      ...env,
      CNB_PLATFORM_DIR: platform,
      CNB_BUILDPACK_DIR: directory,
      ...contract,
    },
  })
}
