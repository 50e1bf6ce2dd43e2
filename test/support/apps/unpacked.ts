import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeApp } from '../../../lab/app.ts'
import type { Unavailable } from '../../../lab/processes/program.ts'

/** The applications that scripts/apps has unpacked. */
export interface Unpacked {
  readonly phpmyadmin: string
  readonly adminer: string
  readonly simplesamlphp: string
  readonly dokuwiki: string
  readonly cacti: string
  /** Options of `startMariadb`. */
  readonly mariadb: { readonly home: string; readonly libraries: string }
  /** Variables for php-fpm, which lead to the apps' classes and extensions. */
  readonly env: Readonly<Record<string, string>>
}

const CACHE = join(import.meta.dirname, '../../../.cache')
const FOLDER = join(CACHE, 'apps')
/** In the order in which PHP can load them. */
const EXTENSIONS = ['mysqlnd', 'mysqli', 'pdo_mysql', 'mbstring', 'xml', 'dom', 'simplexml']

/** The paths of the applications, or why they cannot be used. */
export function unpackedApps(): Unpacked | Unavailable {
  const reason = join(CACHE, 'apps.reason')
  if (!existsSync(join(FOLDER, 'made-by')))
    return {
      unavailable: existsSync(reason) ? readFileSync(reason, 'utf8').trim() : 'scripts/apps has not run',
    }
  if (process.getuid?.() === 0 && !canBeReadByNobody())
    return { unavailable: `php-fpm's workers run as nobody, who cannot read ${FOLDER}` }
  const libraries = join(FOLDER, 'lib')
  const ini = [
    `include_path = ".:${join(FOLDER, 'php')}"`,
    ...EXTENSIONS.map((name) => join(FOLDER, 'extensions', `${name}.so`))
      .filter((path) => existsSync(path))
      .map((path) => `extension = "${path}"`),
  ]
  return {
    phpmyadmin: join(FOLDER, 'phpmyadmin'),
    adminer: join(FOLDER, 'adminer'),
    simplesamlphp: join(FOLDER, 'simplesamlphp'),
    dokuwiki: join(FOLDER, 'dokuwiki'),
    cacti: join(FOLDER, 'cacti'),
    mariadb: { home: join(FOLDER, 'mariadb'), libraries },
    env: {
      LD_LIBRARY_PATH: libraries,
      PHP_INI_SCAN_DIR: `:${makeApp({ '50-apps.ini': `${ini.join('\n')}\n` })}`,
    },
  }
}

function canBeReadByNobody(): boolean {
  const args = ['--reuid=nobody', '--clear-groups', 'test', '-r', join(FOLDER, 'made-by')]
  return spawnSync('setpriv', args).status === 0
}
