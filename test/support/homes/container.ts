import { chmodSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { cookieIn } from '../../../lab/php/fastcgi.ts'
import { type Fpm, type FpmPool, startFpm } from '../../../lab/php/fpm.ts'
import { type InstalledPhp, machinePhp } from '../../../lab/php/installed.ts'
import { type Contained, startContained } from '../../../lab/processes/contained.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { until } from '../../../lab/processes/until.ts'
import { startLoad } from '../php/load/visitors.ts'
import { BUNDLE, EXECUTABLE } from './cloudfoundry.ts'

/** Both builds of php-sessions, as command lines. */
export const HOSTS = [
  ['the executable', [EXECUTABLE]],
  ['Node', [process.execPath, BUNDLE]],
] as const

/** Makes a container with this in its environment; nobody else keeps temporary files where it does. */
export function container(env: Readonly<Record<string, string>> = {}) {
  const directory = makeScratch('exec')
  const temporary = join(directory, 'tmp')
  mkdirSync(temporary)
  chmodSync(directory, 0o755)
  chmodSync(temporary, 0o1777)
  const left = () => readdirSync(temporary).filter((name) => name.startsWith('php-sessions-'))
  return {
    directory,
    env: { PATH: process.env.PATH, TMPDIR: temporary, ...env },
    /** The names of the directories that php-sessions has made and not removed. */
    left,
    /** The path of the first of them. */
    stateDirectory: () => join(temporary, left()[0] ?? 'none'),
  }
}

export type Container = ReturnType<typeof container>

export interface ContainerFpmOptions {
  /** How php-sessions is started. */
  readonly program?: readonly string[]
  /** Arguments of exec, before `--`. */
  readonly args?: readonly string[]
  /** The machine's own when absent. */
  readonly php?: InstalledPhp
  readonly pool?: FpmPool
  /** Pages by name: PHP code. */
  readonly pages: Readonly<Record<string, string>>
}

/** Starts php-fpm under `php-sessions exec`, until the test ends; its workers are not root. */
export async function startFpmIn(
  { env, directory }: Container,
  {
    program = [EXECUTABLE],
    args = [],
    php = machinePhp(),
    pool = { workers: 2 },
    pages,
  }: ContainerFpmOptions,
): Promise<Fpm> {
  const under = [...program, 'exec', ...args, '--']
  const fpm = await startFpm({ php, under, pools: [pool], workersAre: 'nobody', env, pages, directory })
  onTestFinished(fpm.stop)
  return fpm
}

/** Starts a command under exec, and waits until it prints `ready`, or ends. */
export async function startExec(
  { env, directory }: Container,
  command: readonly string[],
  program: readonly string[] = [EXECUTABLE],
): Promise<Contained> {
  const [file = '', ...before] = program
  const contained = startContained({ file, args: [...before, 'exec', '--', ...command], env, cwd: directory })
  await until('the command to be ready', () => contained.stdout().includes('ready') || contained.hasExited())
  return contained
}

/** Visitors of PAGES that are among the pages of this php-fpm, or of these in turn; `together` more have one session in common. */
export const loadOn = (fpm: Fpm | readonly Fpm[], visitors: number, together = 0) => {
  let turn = 0
  const next = () => ('ask' in fpm ? fpm : (fpm[turn++ % fpm.length] as Fpm))
  return startLoad(
    () => {
      let cookie = ''
      return async (page) => {
        const got = await next().ask(page, cookie)
        cookie = cookieIn(got) ?? cookie
        return got
      }
    },
    visitors,
    together,
  )
}
