import type { Buildpack } from '../../lab/cloudfoundry/lifecycle.ts'
import { phpBuildpackV4, phpBuildpackV5 } from '../../lab/cloudfoundry/php-buildpacks.ts'
import { sessionsBuildpack } from './buildpack.ts'

export type WayName = 'files' | 'peers' | 'native' | 'managed'

/** A way to keep sessions. */
export interface Way {
  readonly title: string
  /** Whether it needs a store. */
  readonly isBound: boolean
  readonly buildpacks: () => readonly Buildpack[]
  readonly env: Readonly<Record<string, string>>
  /** The form of credentials that it reads. */
  readonly credentials?: 'simple'
  /** Whether it can take the sessions of another store with it. */
  readonly isMoving?: true
  /** Whether a new password needs `cf restage`, because the old one is in the droplet. */
  readonly hasPasswordInDroplet: boolean
}

const WITH_PHP_SESSIONS = {
  isBound: true,
  buildpacks: () => [sessionsBuildpack(), phpBuildpackV5],
  hasPasswordInDroplet: false,
} as const

export const WAYS: Readonly<Record<WayName, Way>> = {
  files: {
    title: 'local files',
    isBound: false,
    buildpacks: () => [phpBuildpackV5],
    env: {},
    hasPasswordInDroplet: false,
  },
  peers: {
    title: "php_buildpack's own settings",
    isBound: true,
    buildpacks: () => [phpBuildpackV4],
    env: {},
    credentials: 'simple',
    hasPasswordInDroplet: true,
  },
  native: {
    ...WITH_PHP_SESSIONS,
    title: "php-sessions, PHP's handler",
    env: { PHP_SESSIONS_HANDLER: 'native' },
  },
  managed: {
    ...WITH_PHP_SESSIONS,
    title: 'php-sessions, managed handler',
    env: { PHP_SESSIONS_HANDLER: 'managed' },
    isMoving: true,
  },
}
