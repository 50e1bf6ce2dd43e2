import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type {
  CnbBuildpack,
  CnbInstance,
  CnbLifecycle,
  Image,
  LaunchOptions,
} from '../../../lab/cnb/lifecycle.ts'
import { labCnb } from '../../../lab/cnb/lifecycle-lab.ts'
import { realCnb } from '../../../lab/cnb/lifecycle-real.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { startRouter } from '../../../lab/web/router.ts'
import type { JsonObject } from '../../../src/core/binding.ts'
import { type Told, visitWith } from './cloudfoundry.ts'

const DIRECTORY = join(import.meta.dirname, '../../../dist/buildpack-cnb')
if (!existsSync(DIRECTORY)) throw new Error('there is no buildpack to test: run scripts/package')

export const ours: CnbBuildpack = {
  id: 'php-sessions/php-sessions',
  version: '0.1.0',
  directory: DIRECTORY,
}

const real = await realCnb()

/** Why the Cloud Native Buildpacks' own lifecycle is not among `cnbLifecycles`, if it is not. */
export const realCnbUnavailable = 'unavailable' in real ? real.unavailable : undefined

/** The lifecycles that this machine can run; every test of one is a test of all. */
export const cnbLifecycles: readonly (readonly [name: string, lifecycle: CnbLifecycle])[] = [
  ['restated', labCnb],
  ...('unavailable' in real ? [] : [['real', real] as const]),
]

/** Writes a binding named `sessions` as files, and gives the environment that leads there. */
export function bind(entries: JsonObject): { readonly SERVICE_BINDING_ROOT: string } {
  const root = makeScratch('bindings')
  // Who builds may be somebody else.
  chmodSync(root, 0o755)
  rebind(root, entries)
  return { SERVICE_BINDING_ROOT: root }
}

/** Writes other values into a binding that is there. */
export function rebind(root: string, entries: JsonObject): void {
  mkdirSync(join(root, 'sessions'), { recursive: true })
  for (const [name, value] of Object.entries(entries))
    writeFileSync(join(root, 'sessions', name), typeof value === 'string' ? value : JSON.stringify(value))
}

/** An image that runs twice behind a router. */
export interface RunningImage {
  readonly instances: readonly CnbInstance[]
  /** One visitor asks this often, at the instances in turn. */
  visit(times: number): Promise<Told[]>
  stop(): Promise<void>
}

export async function startImageTwice(
  lifecycle: CnbLifecycle,
  image: Image,
  options: LaunchOptions = {},
): Promise<RunningImage> {
  const instances: CnbInstance[] = []
  const router = await startRouter()
  const stop = async () => {
    await router.stop()
    await Promise.all(instances.map((instance) => instance.stop()))
  }
  try {
    for (const index of [0, 1]) instances.push(await lifecycle.startInstance(image, index, options))
  } catch (error) {
    await stop()
    throw error
  }
  for (const instance of instances) router.add(instance)
  return { instances, stop, visit: (times) => visitWith(router, times) }
}
