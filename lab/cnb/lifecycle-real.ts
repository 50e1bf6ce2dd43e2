import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildGoPrograms } from '../go-programs.ts'
import { runCommand } from '../processes/command.ts'
import type { Unavailable } from '../processes/program.ts'
import { runImagesWith } from './instances.ts'
import { escapeId } from './launcher.ts'
import type { BuildOptions, Built, CnbLifecycle } from './lifecycle.ts'
import { makeBuildPlace } from './place.ts'

const MODULE = 'github.com/buildpacks/lifecycle/cmd'
const PLATFORM_API = { CNB_PLATFORM_API: '0.13' }
/** The lifecycle refuses to build as root. */
const NOBODY = '65534'

/** Gives the Cloud Native Buildpacks' own detector, builder and launcher, or why they cannot be had on this machine. */
export async function realCnb(): Promise<CnbLifecycle | Unavailable> {
  const built = await buildGoPrograms({
    name: 'cnb-lifecycle',
    goMod: join(import.meta.dirname, 'go/go.mod'),
    packages: { lifecycle: `${MODULE}/lifecycle`, launcher: `${MODULE}/launcher` },
  })
  if ('unavailable' in built) return built
  const unavailable = await tryAsBuilder()
  if (unavailable !== undefined) return { unavailable }
  return {
    build: (options) => buildWith(join(built.directory, 'lifecycle'), options),
    ...runImagesWith(({ app, layers }, command, env) => ({
      file: join(built.directory, 'launcher'),
      args: ['--', ...command],
      env: { ...env, ...PLATFORM_API, CNB_APP_DIR: app, CNB_LAYERS_DIR: layers },
    })),
  }
}

/** As root it builds as nobody, who must be able to read the checkout. */
async function tryAsBuilder(): Promise<string | undefined> {
  const { status } = await runCommand(
    asBuilder(['test', '-r', join(import.meta.dirname, 'php-dist/bin/build')]),
  )
  return status === 0 ? undefined : `it must build as user ${NOBODY}, who cannot read this checkout`
}

function asBuilder([file = '', ...args]: readonly string[]) {
  if (process.getuid?.() !== 0) return { file, args }
  return {
    file: 'setpriv',
    args: [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', file, ...args],
  }
}

async function buildWith(lifecycle: string, options: BuildOptions): Promise<Built> {
  const place = makeBuildPlace(options)
  const at = (name: string) => join(place.scratch, name)
  for (const { id, version, directory } of options.buildpacks) {
    const link = join(at('buildpacks'), escapeId(id), version)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(directory, link)
  }
  writeFileSync(at('order.toml'), renderOrder(options))
  if (process.getuid?.() === 0)
    await runCommand({ file: 'chown', args: ['-R', `${NOBODY}:${NOBODY}`, place.scratch] })

  const common = [
    `-app=${place.app}`,
    `-buildpacks=${at('buildpacks')}`,
    `-layers=${place.layers}`,
    `-platform=${place.platform}`,
    `-analyzed=${at('analyzed.toml')}`,
    `-group=${at('group.toml')}`,
    `-plan=${at('plan.toml')}`,
  ]
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: place.scratch, ...PLATFORM_API }
  const logs: string[] = []
  for (const [phase, args] of [
    ['detect', [...common, `-order=${at('order.toml')}`]],
    ['build', common],
  ] as const) {
    const command = asBuilder([lifecycle, phase, ...args])
    const { status, log } = await runCommand({ ...command, cwd: place.scratch, env, ordered: true })
    logs.push(log)
    if (status !== 0) return { ok: false, log: logs.join(''), image: place }
  }
  return { ok: true, log: logs.join(''), image: place }
}

function renderOrder({ buildpacks }: BuildOptions): string {
  const groups = buildpacks.map(
    ({ id, version, isOptional = false }) =>
      `[[order.group]]\nid = "${id}"\nversion = "${version}"\noptional = ${isOptional}\n`,
  )
  return `[[order]]\n${groups.join('')}`
}
