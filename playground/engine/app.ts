import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeScratch } from '../../lab/processes/scratch.ts'
import { playgroundFile } from './buildpack.ts'

/** The page that visitors click on. Nothing in an app has this name. */
export const PROBE = 'php-sessions-playground.php'
export const LOOK = 'php-sessions-playground-look.php'

/** phpredis and php-memcached of distributions are linked to these; those of Cloud Foundry have them built in. */
const LINKED = ['igbinary', 'msgpack']

/** The default of php_buildpack. */
const USUAL = ['bz2', 'zlib', 'curl']

/** Whether there is a page of PHP: in the directory, or in one of its own. */
export function hasPhp(directory: string): boolean {
  const isPhp = (path: string) => existsSync(path) && readdirSync(path).some((name) => name.endsWith('.php'))
  const inside = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return isPhp(directory) || inside.some(({ name }) => isPhp(join(directory, name)))
}

/** Copies an app, the sample when absent, and adds the playground's pages to its web directory. */
export function copyApp(app: string | undefined): string {
  const copy = makeScratch('app')
  cpSync(app ?? playgroundFile('app'), copy, { recursive: true, verbatimSymlinks: true })
  const file = join(copy, '.bp-config/options.json')
  const options: Record<string, unknown> = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  const webdir = String(options.WEBDIR ?? 'htdocs')
  // php_buildpack makes an app without a web directory the web directory.
  const directory = existsSync(join(copy, webdir)) ? join(copy, webdir) : copy
  for (const page of [PROBE, LOOK]) cpSync(playgroundFile(`probe/${page}`), join(directory, page))
  const own = Array.isArray(options.PHP_EXTENSIONS) ? options.PHP_EXTENSIONS : USUAL
  mkdirSync(join(copy, '.bp-config'), { recursive: true })
  writeFileSync(file, JSON.stringify({ ...options, PHP_EXTENSIONS: [...new Set([...LINKED, ...own])] }))
  return copy
}
