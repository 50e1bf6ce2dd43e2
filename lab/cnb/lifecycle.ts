import type { Environment } from '../cloudfoundry/lifecycle.ts'
import type { CommandResult } from '../processes/command.ts'

export interface CnbBuildpack {
  /** As in its buildpack.toml. */
  readonly id: string
  readonly version: string
  /** The directory that has its bin/. */
  readonly directory: string
  /** A buildpack that does not pass is left out if it is optional; otherwise the build fails. */
  readonly isOptional?: boolean
}

export interface BuildOptions {
  /** The directory of `pack build --path`; it is copied and stays as it is. */
  readonly app: string
  readonly buildpacks: readonly CnbBuildpack[]
  /** `pack build --env`. */
  readonly env?: Environment
}

/** What would be in an image, in the directories in which it was built. Nothing writes there afterwards. */
export interface Image {
  readonly app: string
  readonly layers: string
}

export interface Built {
  readonly ok: boolean
  /** What `pack build` would show. */
  readonly log: string
  readonly image: Image
}

export interface LaunchOptions {
  /** `docker run --env`. */
  readonly env?: Environment
}

/** A container that serves an app, which can be a router's backend. */
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

/** What the lifecycle of Cloud Native Buildpacks does with an app, without images and registries. */
export interface CnbLifecycle {
  /** Detects and builds. */
  build(options: BuildOptions): Promise<Built>
  /** Launches the web server; settles when it takes connections, fails, with its log, if it ends instead. */
  startInstance(image: Image, index: number, options?: LaunchOptions): Promise<CnbInstance>
  /** Launches a command and waits for its end, as `docker run --entrypoint launcher IMAGE COMMAND` does. */
  run(image: Image, command: readonly string[], options?: LaunchOptions): Promise<CommandResult>
}
