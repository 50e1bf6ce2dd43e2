import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '../../../lab/cloudfoundry/lifecycle.ts'
import { paketoPhp } from '../../../lab/cnb/buildpacks.ts'
import type {
  Built,
  CnbBuildpack,
  CnbInstance,
  CnbLifecycle,
  Image,
  LaunchOptions,
} from '../../../lab/cnb/lifecycle.ts'
import { labCnb } from '../../../lab/cnb/lifecycle-lab.ts'
import { realCnb } from '../../../lab/cnb/lifecycle-real.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import type { JsonObject } from '../../../src/core/binding.ts'
import { fixtureApp } from './cloudfoundry.ts'
import { type RunningApp, startBehindRouter } from './instances.ts'

const DIRECTORY = join(import.meta.dirname, '../../../dist/buildpack-cnb')
if (!existsSync(DIRECTORY)) throw new Error('there is no buildpack to test: run scripts/package')

/** The Cloud Native Buildpack of php-sessions. */
export const sessionsCnb: CnbBuildpack = {
  id: 'php-sessions/php-sessions',
  version: '0.1.0',
  directory: DIRECTORY,
}

const real = await realCnb()

/** Why the Cloud Native Buildpacks' own lifecycle is not among `cnbLifecycles`; undefined if it is. */
export const realCnbUnavailable = 'unavailable' in real ? real.unavailable : undefined

/** The lifecycles that this machine can run; every test of a lifecycle runs with each of them. */
export const cnbLifecycles: readonly (readonly [name: string, lifecycle: CnbLifecycle])[] = [
  ["the lab's", labCnb],
  ...('unavailable' in real ? [] : [['the real', real] as const]),
]

/** Builds an app with PHP and php-sessions; throws if the build fails. */
export async function buildWithSessions(
  lifecycle: CnbLifecycle,
  env: Environment = {},
  app: string = fixtureApp(),
): Promise<Built> {
  const built = await lifecycle.build({ app, buildpacks: [paketoPhp, sessionsCnb], env })
  if (!built.ok) throw new Error(built.log)
  return built
}

/** Writes a binding named `sessions` as files; gives the environment that leads to it. */
export function bind(entries: JsonObject): { readonly SERVICE_BINDING_ROOT: string } {
  const root = makeScratch('bindings')
  // The build may run as another user.
  chmodSync(root, 0o755)
  rebind(root, entries)
  return { SERVICE_BINDING_ROOT: root }
}

/** Writes other values into a binding that exists. */
export function rebind(root: string, entries: JsonObject): void {
  mkdirSync(join(root, 'sessions'), { recursive: true })
  for (const [name, value] of Object.entries(entries))
    writeFileSync(join(root, 'sessions', name), typeof value === 'string' ? value : JSON.stringify(value))
}

/** Starts an image on two instances behind a router. */
export function startImageTwice(
  lifecycle: CnbLifecycle,
  image: Image,
  options: LaunchOptions = {},
): Promise<RunningApp<CnbInstance>> {
  return startBehindRouter((index) => lifecycle.startInstance(image, index, options))
}
