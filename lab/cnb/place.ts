import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeScratch } from '../processes/scratch.ts'
import type { BuildOptions } from './lifecycle.ts'

/** The directories of a build, by the names of the lifecycle's options. */
export interface BuildPlace {
  readonly scratch: string
  readonly app: string
  readonly layers: string
  readonly platform: string
}

/** Makes the directories, with a copy of the app, and files that have the user's variables for the build. */
export function makeBuildPlace({ app, env = {} }: BuildOptions): BuildPlace {
  const scratch = makeScratch('image')
  // The build may run as another user.
  chmodSync(scratch, 0o755)
  const place = {
    scratch,
    app: join(scratch, 'workspace'),
    layers: join(scratch, 'layers'),
    platform: join(scratch, 'platform'),
  }
  mkdirSync(place.layers)
  mkdirSync(join(place.platform, 'env'), { recursive: true })
  cpSync(app, place.app, { recursive: true, verbatimSymlinks: true })
  chmodSync(place.app, 0o755)
  for (const [name, value] of Object.entries(env))
    if (value !== undefined) writeFileSync(join(place.platform, 'env', name), value)
  return place
}
