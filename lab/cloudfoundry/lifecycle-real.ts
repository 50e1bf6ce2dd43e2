import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { buildGoPrograms } from '../go-programs.ts'
import { runCommand } from '../processes/command.ts'
import type { Unavailable } from '../processes/program.ts'
import { makeScratch } from '../processes/scratch.ts'
import { runDropletsWith } from './containers.ts'
import { stagingEnvironment } from './environment.ts'
import type { Lifecycle, Staged, StageOptions } from './lifecycle.ts'

const MODULE = 'code.cloudfoundry.org/buildpackapplifecycle'
const PROGRAMS = { builder: 'builder', launcher: 'launcher', shell: 'shell/shell' }

/** Gives Cloud Foundry's own builder, launcher and shell, or why they cannot be had on this machine. */
export async function realLifecycle(): Promise<Lifecycle | Unavailable> {
  const packages = Object.entries(PROGRAMS).map(([name, path]) => [name, `${MODULE}/${path}`])
  const built = await buildGoPrograms({
    name: 'cloudfoundry-lifecycle',
    goMod: join(import.meta.dirname, 'go/go.mod'),
    packages: Object.fromEntries(packages),
  })
  if ('unavailable' in built) return built
  const bin = (name: keyof typeof PROGRAMS) => join(built.directory, name)
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
