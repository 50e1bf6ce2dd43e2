/** Variables of an app; an undefined value removes a variable that the platform sets. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The content of VCAP_SERVICES: an object, or a text that is passed on as it is. */
export type Services = string | Readonly<Record<string, unknown>>

export interface Buildpack {
  readonly name: string
  /** The directory that has its bin/. */
  readonly directory: string
}

export interface StageOptions {
  /** The directory that `cf push` would upload; it is copied and stays as it is. */
  readonly app: string
  /** As with several `-b`: all but the last one only supply. */
  readonly buildpacks: readonly Buildpack[]
  readonly services?: Services
  readonly env?: Environment
  /** The one that an earlier staging has returned; a new one when absent. */
  readonly cacheDirectory?: string
}

export interface Staged {
  readonly ok: boolean
  /** The builder's: 0, or Cloud Foundry's number for the step that failed. */
  readonly exitStatus: number
  /** What `cf push` would show. */
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
  /** `cf push -c`: replaces the command that staging found. */
  readonly command?: string
}

/** A container with an app in it, which can be a router's backend. */
export interface Instance {
  readonly id: string
  readonly index: number
  readonly port: number
  readonly url: string
  /** Stands for /home/vcap: app, deps, profile.d, tmp. */
  readonly directory: string
  /** The environment of the launcher, which `cf ssh` has, too. */
  readonly env: Environment
  log(): string
  stop(): Promise<void>
  /** A crash: SIGKILL for all its processes, and its disk is gone. */
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
  /** Settles when the instance takes connections; fails, with its log, if it ends instead. */
  startInstance(droplet: string, options: InstanceOptions): Promise<Instance>
  /** `cf run-task`, in a container of its own. */
  runTask(droplet: string, command: string, options?: RunOptions): Promise<Finished>
  /** `cf ssh` into a running instance, and a command in the lifecycle's shell. */
  openShell(instance: Pick<Instance, 'directory' | 'env'>, command: string): Promise<Finished>
}
