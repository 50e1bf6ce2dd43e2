import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../processes/command.ts'
import { makeScratch } from '../processes/scratch.ts'
import { stagingEnvironment } from './environment.ts'
import type { Buildpack, Staged, StageOptions } from './lifecycle.ts'
import { readIfThere, webCommand } from './start-command.ts'

interface StagingPlace {
  /** The copy of the app that buildpacks work on. */
  readonly build: string
  /** What becomes the droplet, except the app: deps, profile.d. */
  readonly contents: string
  readonly cache: string
}

interface Step {
  readonly command: readonly [file: string, ...args: string[]]
  readonly failure: Failure
}

interface Failure {
  /** Shows the platform which step has failed. */
  readonly exitStatus: number
  readonly message: string
}

const SUPPLY = { exitStatus: 225, message: 'Failed to run all supply scripts' }
// Any failure of the last buildpack, also of its bin/supply and bin/finalize.
const COMPILE = { exitStatus: 223, message: 'Failed to compile droplet' }
const RELEASE = { exitStatus: 224, message: 'Failed to build droplet release' }

/** Stages as Cloud Foundry's builder does: runs the same scripts of the buildpacks, and makes the same droplet. */
export async function stage(options: StageOptions): Promise<Staged> {
  const scratch = makeScratch('stage')
  const place = {
    build: join(scratch, 'app'),
    contents: join(scratch, 'contents'),
    cache: options.cacheDirectory ?? join(scratch, 'cache'),
  }
  for (const name of ['deps', 'profile.d', 'tmp', 'logs']) {
    mkdirSync(join(place.contents, name), { recursive: true })
  }
  mkdirSync(join(scratch, 'tmp'))
  cpSync(options.app, place.build, { recursive: true, verbatimSymlinks: true })
  const env = stagingEnvironment(scratch, options.services, options.env)
  const result = { droplet: join(scratch, 'droplet.tgz'), cacheDirectory: place.cache }
  const logs: string[] = []
  const fail = ({ exitStatus, message }: Failure, status: number) => {
    const log = `${logs.join('')}${message}: exit status ${status}\n`
    return { ok: false, exitStatus, log, ...result }
  }

  for (const { command, failure } of planSteps(place, options.buildpacks)) {
    const [file, ...args] = command
    const { status, log } = await runCommand({ file, args, cwd: scratch, env, ordered: true })
    logs.push(log)
    if (status !== 0) return fail(failure, status)
  }

  const release = await runRelease(place, options.buildpacks, scratch, env)
  if (release.status !== 0) return fail(RELEASE, release.status)
  const start = findStartCommand(place, release.stdout)
  if (start === '') logs.push('No start command specified by buildpack or via Procfile.\n')
  writeFileSync(join(place.contents, 'staging_info.yml'), JSON.stringify({ start_command: start }))
  cpSync(place.build, join(place.contents, 'app'), { recursive: true, verbatimSymlinks: true })
  const packed = await runCommand({ file: 'tar', args: ['-czf', result.droplet, '-C', place.contents, '.'] })
  if (packed.status !== 0) throw new Error(`tar: ${packed.log}`)
  return { ok: true, exitStatus: 0, log: logs.join(''), ...result }
}

function planSteps(place: StagingPlace, buildpacks: readonly Buildpack[]): Step[] {
  return buildpacks.flatMap((buildpack, position) => {
    const isLast = position === buildpacks.length - 1
    const index = depsIndex(position, buildpacks.length)
    const cache = join(place.cache, isLast ? 'final' : buildpack.name)
    const deps = join(place.contents, 'deps')
    mkdirSync(cache, { recursive: true })
    mkdirSync(join(deps, index), { recursive: true })

    const bin = (name: string) => join(buildpack.directory, 'bin', name)
    const supply = [bin('supply'), place.build, cache, deps, index] as const
    if (!isLast) return [{ command: supply, failure: SUPPLY }]
    if (!existsSync(bin('finalize'))) {
      rmSync(join(deps, index), { recursive: true })
      return [{ command: [bin('compile'), place.build, cache], failure: COMPILE }]
    }
    const finalize = [bin('finalize'), ...supply.slice(1), join(place.contents, 'profile.d')] as const
    const both = existsSync(bin('supply')) ? [supply, finalize] : [finalize]
    return both.map((command) => ({ command, failure: COMPILE }))
  })
}

/** Has as many digits as the number of buildpacks: `0` of 2, but `00` of 10. */
function depsIndex(position: number, count: number): string {
  return String(position).padStart(String(count).length, '0')
}

async function runRelease(
  place: StagingPlace,
  buildpacks: readonly Buildpack[],
  cwd: string,
  env: NodeJS.ProcessEnv,
) {
  const last = buildpacks.length - 1
  const launch = readIfThere(place.contents, 'deps', depsIndex(last, buildpacks.length), 'launch.yml')
  if (launch !== '') return { status: 0, stdout: launch }
  const file = join(buildpacks[last]?.directory ?? '', 'bin/release')
  return runCommand({ file, args: [place.build], cwd, env })
}

/** The command in the Procfile; the last buildpack's if there is none. */
function findStartCommand(place: StagingPlace, release: string): string {
  return webCommand(readIfThere(place.build, 'Procfile')) ?? webCommand(release) ?? ''
}
