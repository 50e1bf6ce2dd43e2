import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeProgram } from '../processes/program.ts'
import { type ServerProcess, startServer } from '../processes/server.ts'
import { askFpm } from './fastcgi.ts'
import type { InstalledPhp } from './installed.ts'

const isRoot = process.getuid?.() === 0

/** Workers with a port of their own. */
export interface FpmPool {
  readonly workers: number
  /** Further lines of its section. */
  readonly lines?: readonly string[]
}

export interface FpmOptions {
  readonly php: InstalledPhp
  /** The command line that starts php-fpm in the end, e.g. of a wrapper; php-fpm and its arguments follow. */
  readonly under?: readonly string[]
  /** Makes the only ini file of PHP, in this directory; PHP reads its own ones when absent. */
  readonly ini?: (directory: string) => string
  readonly pools: readonly FpmPool[]
  /** As root, gives the workers to `nobody`, as images do; they are root, too, when absent. */
  readonly workersAre?: 'nobody'
  readonly env: Readonly<Record<string, string | undefined>>
  /** Pages by name: PHP code. */
  readonly pages: Readonly<Record<string, string>>
  /** Where the pages are, which its workers must be able to read; a directory of its own when absent. */
  readonly directory?: string
}

export interface Fpm extends ServerProcess {
  /** Asks a pool, the first when absent, for a page by its name; gives the headers and the body. */
  ask(page: string, cookie?: string, pool?: number): Promise<string>
}

/** Starts php-fpm with a configuration and a PATH in which this PHP is `php` and `php-fpm`. */
export async function startFpm(options: FpmOptions): Promise<Fpm> {
  const server = await startServer({
    name: 'fpm',
    ports: options.pools.length,
    command: ({ directory: own, ports }) => {
      const at = (name: string) => join(own, name)
      const { php, under = [], ini, env, pages, directory = own } = options
      for (const name of ['bin', 'tmp']) mkdirSync(at(name))
      for (const [name, code] of Object.entries(pages))
        writeFileSync(join(directory, `${name}.php`), `<?php ${code}`)
      // With an environment of their own: that of this process would become part of the programs.
      writeProgram(at('bin/php'), php.cli([], {}))
      writeProgram(at('bin/php-fpm'), php.fpm([], {}))
      writeFileSync(at('fpm.conf'), fpmConf(options, ports))
      if (ini !== undefined) writeFileSync(at('php.ini'), ini(own))
      const [file = '', ...args] = [...under, 'php-fpm', ...argumentsFor(options), '-y', at('fpm.conf')]
      const only = ini === undefined ? {} : { PHPRC: own, PHP_INI_SCAN_DIR: at('none') }
      const path = `${at('bin')}:${env.PATH ?? process.env.PATH}`
      return { file, args, env: { TMPDIR: at('tmp'), ...env, ...only, PATH: path }, cwd: directory }
    },
  })
  const { directory = server.directory } = options
  return {
    ...server,
    ask: (page, cookie = '', pool = 0) =>
      askFpm(server.ports[pool] ?? 0, join(directory, `${page}.php`), cookie),
  }
}

/** php-fpm lets root's workers be root only when told so. */
function argumentsFor({ workersAre }: FpmOptions): readonly string[] {
  return isRoot && workersAre === undefined ? ['-R'] : []
}

function fpmConf({ pools, workersAre }: FpmOptions, ports: readonly number[]): string {
  const user = isRoot && workersAre !== undefined ? [`user = ${workersAre}`, 'group = nogroup'] : []
  const sections = pools.flatMap(({ workers, lines = [] }, i) => [
    `[pool${i}]`,
    `listen = 127.0.0.1:${ports[i]}`,
    'pm = static',
    `pm.max_children = ${workers}`,
    ...user,
    ...lines,
  ])
  const global = ['[global]', 'daemonize = no', 'error_log = /proc/self/fd/2', 'process_control_timeout = 10']
  return `${[...global, ...sections].join('\n')}\n`
}
