import { join } from 'node:path'
import type { CnbBuildpack } from './lifecycle.ts'

/** Stands in for Paketo's PHP, with php-fpm behind nginx. */
export const paketoPhp: CnbBuildpack = {
  id: 'lab/php-dist',
  version: '1.0.0',
  directory: join(import.meta.dirname, 'php-dist'),
}

/** Stands in for Paketo's session handler, which writes the password into the image. */
export const paketoHandler: CnbBuildpack = {
  id: 'lab/php-redis-session-handler',
  version: '1.0.0',
  directory: join(import.meta.dirname, 'php-redis-session-handler'),
  isOptional: true,
}
