import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { makeApp } from '../../../lab/app.ts'
import { quoteForShell } from '../../../lab/processes/words.ts'
import type { App, Database } from '../apps/app.ts'
import type { Unpacked } from '../apps/unpacked.ts'

/** Extensions of the distribution, which these apps use, in the order in which PHP can load them. */
const EXTENSIONS = ['bz2', 'zlib', 'curl', 'ctype', 'iconv', 'tokenizer', 'fileinfo', 'pdo']
/** Debian's packages of libraries, which an app looks for beside itself. */
const LIBRARIES = ['php', 'php-geshi']

/** A directory for `cf push`: the app as Debian has it, and beside it the settings that it needs on this machine. */
export function makePushedApp(app: App, unpacked: Unpacked, database: Database): string {
  const { script, params = {} } = app.make(unpacked, database)
  const directory = makeApp({})
  cpSync(dirname(script), join(directory, 'htdocs'), { recursive: true, verbatimSymlinks: true })
  for (const name of LIBRARIES) symlinkSync(join(unpacked.dokuwiki, '..', name), join(directory, name))
  const ini = join(directory, '.bp-config/php/php.ini.d')
  mkdirSync(ini, { recursive: true })
  cpSync(join(unpacked.env.PHP_INI_SCAN_DIR?.slice(1) ?? '', '50-apps.ini'), join(ini, 'z-apps.ini'))
  const options = { PHP_EXTENSIONS: EXTENSIONS }
  writeFileSync(join(directory, '.bp-config/options.json'), JSON.stringify(options))
  const variables = { ...params, LD_LIBRARY_PATH: unpacked.env.LD_LIBRARY_PATH ?? '' }
  mkdirSync(join(directory, '.profile.d'))
  writeFileSync(
    join(directory, '.profile.d/app.sh'),
    Object.entries(variables)
      .map(([name, value]) => `export ${name}=${quoteForShell(value)}\n`)
      .join(''),
  )
  return directory
}
