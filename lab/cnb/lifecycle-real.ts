import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runCommand } from '../processes/command.ts'
import { makeScratch } from '../processes/scratch.ts'
import { runImagesWith } from './instances.ts'
import { escapeId } from './launcher.ts'
import type { BuildOptions, Built, CnbLifecycle } from './lifecycle.ts'
import { makeBuildPlace } from './place.ts'

const MODULE = 'github.com/buildpacks/lifecycle/cmd'
const PROGRAMS = ['lifecycle', 'launcher']
const BUILD_SECONDS = 600
const PLATFORM_API = { CNB_PLATFORM_API: '0.13' }
/** The lifecycle refuses to build as root. */
const NOBODY = '65534'

/** The lifecycle, or why it cannot be had on this machine. */
export type RealCnb = CnbLifecycle | { readonly unavailable: string }

/**
 * Gives the Cloud Native Buildpacks' own detector, builder and launcher, built with Go into `.cache/` the first time.
 *
 * The version is the one in go/go.mod. Programs that somebody else has built are taken when they lie there.
 */
export async function realCnb(): Promise<RealCnb> {
  const goMod = join(import.meta.dirname, 'go/go.mod')
  const pin = createHash('sha256').update(readFileSync(goMod)).digest('hex').slice(0, 12)
  const cache = join(import.meta.dirname, '../../.cache/cnb-lifecycle', pin)
  const unavailable = (await buildOnce(cache, goMod)) ?? (await tryAsBuilder())
  if (unavailable !== undefined) return { unavailable }
  return {
    build: (options) => buildWith(join(cache, 'lifecycle'), options),
    ...runImagesWith(({ app, layers }, command, env) => ({
      file: join(cache, 'launcher'),
      args: ['--', ...command],
      env: { ...env, ...PLATFORM_API, CNB_APP_DIR: app, CNB_LAYERS_DIR: layers },
    })),
  }
}

async function buildOnce(cache: string, goMod: string): Promise<string | undefined> {
  if (existsSync(cache)) return undefined
  // In a place of our own until it is complete: several test files may be here at the same time.
  const scratch = makeScratch('go')
  cpSync(goMod, join(scratch, 'go.mod'))
  const env = { ...process.env, GOFLAGS: '-mod=mod', CGO_ENABLED: '0' }
  for (const name of PROGRAMS) {
    const args = ['build', '-o', join(scratch, 'bin', name), `${MODULE}/${name}`]
    const { status, stderr } = await runCommand({ file: 'go', args, cwd: scratch, env }, BUILD_SECONDS)
    if (status === 127) return 'there is no Go on this machine to build it with'
    if (status !== 0) return `Go cannot build it: ${stderr.trim().split('\n').at(-1)?.trim()}`
  }
  const complete = `${cache}.${process.pid}`
  cpSync(join(scratch, 'bin'), complete, { recursive: true })
  if (!existsSync(cache)) renameSync(complete, cache)
  return undefined
}

/** As root we build as nobody, who must be able to read what is here. */
async function tryAsBuilder(): Promise<string | undefined> {
  const { status } = await runCommand(
    asBuilder(['test', '-r', join(import.meta.dirname, 'php-dist/bin/build')]),
  )
  return status === 0 ? undefined : `user ${NOBODY}, as whom it must build here, cannot read this checkout`
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
