import type { Environment } from '../cloudfoundry/lifecycle.ts'
import type { CommandResult } from '../processes/command.ts'

export interface CnbBuildpack {
  /** As in its buildpack.toml. */
  readonly id: string
  readonly version: string
  /** Where its bin/ is. */
  readonly directory: string
  /** Left out where it does not pass; else the build fails. */
  readonly isOptional?: boolean
}

export interface BuildOptions {
  /** The directory that `pack build --path` would take; it is copied, not changed. */
  readonly app: string
  readonly buildpacks: readonly CnbBuildpack[]
  /** `pack build --env`. */
  readonly env?: Environment
}

/** What would be in an image, at the places where it was built. Nothing writes there afterwards. */
export interface Image {
  readonly app: string
  readonly layers: string
}

export interface Built {
  readonly ok: boolean
  /** What `pack build` would have shown. */
  readonly log: string
  readonly image: Image
}

export interface LaunchOptions {
  /** `docker run --env`. */
  readonly env?: Environment
}

/** A container that serves an app; has all that a router's backend needs. */
export interface CnbInstance {
  readonly id: string
  readonly index: number
  readonly port: number
  readonly url: string
  /** Its own TMPDIR. */
  readonly directory: string
  log(): string
  stop(): Promise<void>
}

/** What the Cloud Native Buildpacks' lifecycle does with an app, but for images and registries. */
export interface CnbLifecycle {
  /** Detects and builds. */
  build(options: BuildOptions): Promise<Built>
  /** Launches the web server; settles when it takes connections, fails, with its log, when it ends instead. */
  startInstance(image: Image, index: number, options?: LaunchOptions): Promise<CnbInstance>
  /** Launches a command to its end, as `docker run --entrypoint launcher IMAGE COMMAND` does. */
  run(image: Image, command: readonly string[], options?: LaunchOptions): Promise<CommandResult>
}
