import { join } from 'node:path'
import type { Buildpack } from './lifecycle.ts'

/** Stands in for php_buildpack 5.0 to 5.1, with the PHP of this machine; it fails when a session service is bound. */
export const phpBuildpackV5: Buildpack = {
  name: 'php_buildpack',
  directory: join(import.meta.dirname, 'php-buildpack-v5'),
}

/** Stands in for php_buildpack 4; it writes the password of a session service into the droplet. */
export const phpBuildpackV4: Buildpack = {
  name: 'php_buildpack',
  directory: join(import.meta.dirname, 'php-buildpack-v4'),
}
