import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../processes/command.ts'
import { makeScratch } from '../processes/scratch.ts'
import { runDropletsWith } from './containers.ts'
import { stagingEnvironment } from './environment.ts'
import type { Lifecycle, Staged, StageOptions } from './lifecycle.ts'

const MODULE = 'code.cloudfoundry.org/buildpackapplifecycle'
const PROGRAMS = { builder: 'builder', launcher: 'launcher', shell: 'shell/shell' } as const
const BUILD_SECONDS = 600

/** The lifecycle, or why it cannot be had on this machine. */
export type RealLifecycle = Lifecycle | { readonly unavailable: string }

/**
 * Gives Cloud Foundry's own builder, launcher and shell, built with Go into `.cache/` the first time.
 *
 * The version is the one in go/go.mod. Programs that somebody else has built are taken when they lie there.
 */
export async function realLifecycle(): Promise<RealLifecycle> {
  const goMod = join(import.meta.dirname, 'go/go.mod')
  const pin = createHash('sha256').update(readFileSync(goMod)).digest('hex').slice(0, 12)
  const cache = join(import.meta.dirname, '../../.cache/cloudfoundry-lifecycle', pin)
  const unavailable = await buildOnce(cache, goMod)
  if (unavailable !== undefined) return { unavailable }
  const bin = (name: keyof typeof PROGRAMS) => join(cache, name)
  return {
    stage: (options) => stageWith(bin('builder'), options),
    ...runDropletsWith({
      launcher: (directory, command = '') => ({
        file: bin('launcher'),
        args: [join(directory, 'app'), command, ''],
      }),
      shell: (directory, command) => ({ file: bin('shell'), args: [join(directory, 'app'), command] }),
    }),
  }
}

async function buildOnce(cache: string, goMod: string): Promise<string | undefined> {
  if (existsSync(cache)) return undefined
  // In a place of our own until it is complete: several test files may be here at the same time.
  const scratch = makeScratch('go')
  cpSync(goMod, join(scratch, 'go.mod'))
  const env = { ...process.env, GOFLAGS: '-mod=mod', CGO_ENABLED: '0' }
  for (const [name, path] of Object.entries(PROGRAMS)) {
    const args = ['build', '-o', join(scratch, 'bin', name), `${MODULE}/${path}`]
    const { status, stderr } = await runCommand({ file: 'go', args, cwd: scratch, env }, BUILD_SECONDS)
    if (status === 127) return 'there is no Go on this machine to build it with'
    if (status !== 0) return `Go cannot build it: ${stderr.trim().split('\n').at(-1)?.trim()}`
  }
  const complete = `${cache}.${process.pid}`
  cpSync(join(scratch, 'bin'), complete, { recursive: true })
  renameSync(complete, cache)
  return undefined
}

async function stageWith(builder: string, options: StageOptions): Promise<Staged> {
  const scratch = makeScratch('stage')
  const at = (name: string) => join(scratch, name)
  const cacheDirectory = options.cacheDirectory ?? at('cache')
  for (const directory of [at('buildpacks'), at('tmp'), cacheDirectory]) {
    mkdirSync(directory, { recursive: true })
  }
  cpSync(options.app, at('app'), { recursive: true, verbatimSymlinks: true })
  for (const { name, directory } of options.buildpacks) {
    symlinkSync(directory, join(at('buildpacks'), createHash('md5').update(name).digest('hex')))
  }
  const droplet = at('droplet.tgz')
  const args = [
    `-buildDir=${at('app')}`,
    `-buildpacksDir=${at('buildpacks')}`,
    `-buildpacksDownloadDir=${at('downloads')}`,
    `-buildpackOrder=${options.buildpacks.map(({ name }) => name).join(',')}`,
    '-skipDetect=true',
    `-buildArtifactsCacheDir=${cacheDirectory}`,
    `-outputBuildArtifactsCache=${at('cache.tgz')}`,
    `-outputDroplet=${droplet}`,
    `-outputMetadata=${at('result.json')}`,
  ]
  const env = stagingEnvironment(scratch, options.services, options.env)
  const { status, log } = await runCommand({ file: builder, args, cwd: scratch, env, ordered: true })
  return { ok: status === 0, exitStatus: status, log, droplet, cacheDirectory }
}
