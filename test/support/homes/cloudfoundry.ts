import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeApp } from '../../../lab/app.ts'
import type { Buildpack, Instance, InstanceOptions, Lifecycle } from '../../../lab/cloudfoundry/lifecycle.ts'
import { phpBuildpackV4, phpBuildpackV5 } from '../../../lab/cloudfoundry/php-buildpacks.ts'
import { type RunningApp, startBehindRouter } from './instances.ts'

const ROOT = join(import.meta.dirname, '../../..')
export const EXECUTABLE = join(ROOT, 'dist/php-sessions')
export const BUNDLE = join(ROOT, 'dist/php-sessions.mjs')
if (!existsSync(join(ROOT, 'dist/buildpack-cf')))
  throw new Error('there is no buildpack to test: run scripts/package')

/** The buildpack of php-sessions. */
export const sessionsBuildpack: Buildpack = {
  name: 'php-sessions',
  directory: join(ROOT, 'dist/buildpack-cf'),
}

/** The buildpacks that php-sessions stands in front of. */
export const PHP_BUILDPACKS = [
  ['php_buildpack 5', phpBuildpackV5],
  ['php_buildpack 4', phpBuildpackV4],
] as const

/** Makes the fixture app, with these files added or replaced: path to text. */
export function fixtureApp(files: Readonly<Record<string, string>> = {}): string {
  return makeApp({ 'index.php': readFileSync(join(ROOT, 'test/fixtures/app/index.php'), 'utf8'), ...files })
}

/** Starts a droplet on two instances behind a router. */
export function startTwice(
  lifecycle: Lifecycle,
  droplet: string,
  options: Omit<InstanceOptions, 'index'>,
): Promise<RunningApp<Instance>> {
  return startBehindRouter((index) => lifecycle.startInstance(droplet, { ...options, index }))
}
