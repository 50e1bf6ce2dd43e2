import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeScratch } from '../processes/scratch.ts'

/** What `launch` reads of a container that php_buildpack 5 has laid out; there is no PHP in it. */
export interface BareContainer {
  /** The variables that the platform sets. */
  readonly env: { readonly HOME: string; readonly DEPS_DIR: string; readonly TMPDIR: string }
  readonly directory: string
  readonly phpIni: string
  readonly scanDirectory: string
}

/** Makes a container with this php.ini, and files named like the extensions that keep sessions in Redis. */
export function makeBareContainer(phpIni: string): BareContainer {
  const directory = makeScratch('bare')
  const php = join(directory, 'deps/1/php')
  const extensions = join(php, 'lib/php/extensions/no-debug-non-zts-20220829')
  const container = {
    env: { HOME: join(directory, 'app'), DEPS_DIR: join(directory, 'deps'), TMPDIR: directory },
    directory,
    phpIni: join(php, 'etc/php.ini'),
    scanDirectory: join(php, 'etc/php.ini.d'),
  }
  for (const path of [container.env.HOME, container.scanDirectory, extensions])
    mkdirSync(path, { recursive: true })
  // As Debian's, it is linked to igbinary.
  for (const [name, symbols] of [
    ['igbinary', ''],
    ['msgpack', ''],
    ['redis', 'igbinary_serialize'],
  ] as const)
    writeFileSync(join(extensions, `${name}.so`), symbols)
  writeFileSync(container.phpIni, phpIni)
  return container
}
