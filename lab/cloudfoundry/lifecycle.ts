/** Variables of an app; one that is undefined takes away what the platform would set. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What VCAP_SERVICES holds: as JSON, or a text that is passed on as it is. */
export type Services = string | Readonly<Record<string, unknown>>

export interface Buildpack {
  readonly name: string
  /** Where its bin/ is. */
  readonly directory: string
}

export interface StageOptions {
  /** The directory that `cf push` would upload; it is copied, not changed. */
  readonly app: string
  /** All but the last supply, as with several `-b`. */
  readonly buildpacks: readonly Buildpack[]
  readonly services?: Services
  readonly env?: Environment
  /** What an earlier staging returned; a fresh one otherwise. */
  readonly cacheDirectory?: string
}

export interface Staged {
  readonly ok: boolean
  /** The builder's: 0, or the number Cloud Foundry knows the failed step by. */
  readonly exitStatus: number
  /** What `cf push` would have shown. */
  readonly log: string
  /** A gzipped tar; only there when `ok`. */
  readonly droplet: string
  readonly cacheDirectory: string
}

export interface RunOptions {
  readonly services?: Services
  readonly env?: Environment
}

export interface InstanceOptions extends RunOptions {
  readonly index: number
  /** In place of the one that staging found; `cf push -c`. */
  readonly command?: string
}

/** A container with an app in it; has all that a router's backend needs. */
export interface Instance {
  readonly id: string
  readonly index: number
  readonly port: number
  readonly url: string
  /** Where /home/vcap would be: app, deps, profile.d, tmp. */
  readonly directory: string
  /** The environment that the launcher was given, which `cf ssh` has too. */
  readonly env: Environment
  log(): string
  stop(): Promise<void>
  /** A crash: SIGKILL for everything in it, and its disk is gone. */
  kill(): Promise<void>
}

export interface Finished {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** What Cloud Foundry does with an app between `cf push` and `cf ssh`. */
export interface Lifecycle {
  stage(options: StageOptions): Promise<Staged>
  /** Settles when the instance takes connections; fails, with its log, when it ends instead. */
  startInstance(droplet: string, options: InstanceOptions): Promise<Instance>
  /** `cf run-task`: in a container of its own. */
  runTask(droplet: string, command: string, options?: RunOptions): Promise<Finished>
  /** `cf ssh` into a running instance, then the lifecycle's shell with a command. */
  openShell(instance: Pick<Instance, 'directory' | 'env'>, command: string): Promise<Finished>
}
