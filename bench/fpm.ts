import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'
import type { InstalledPhp } from '../lab/php/installed.ts'
import { writeProgram } from '../lab/processes/program.ts'
import { makeScratch } from '../lab/processes/scratch.ts'
import { type ServerProcess, startServer } from '../lab/processes/server.ts'

/** A real php-fpm with pools of one configuration. */
export interface Fpm extends Pick<ServerProcess, 'pid' | 'log' | 'stop'> {
  /** As many workers as throughput needs. */
  readonly few: number
  /** As many as the requests at a time of one visitor, so that they wait for the session and not for a worker. */
  readonly many: number
  /** The path of a page, for FastCGI. */
  page(name: string): string
}

export const FEW = 8
export const MANY = 50

/** The program as it is in src/ now. */
const PROGRAM = join(makeScratch('bench'), 'php-sessions.mjs')
buildSync({
  entryPoints: [join(import.meta.dirname, '../src/node.ts')],
  outfile: PROGRAM,
  bundle: true,
  format: 'esm',
  platform: 'node',
  loader: { '.php': 'text', '.lua': 'text' },
})

export interface FpmOptions {
  readonly php: InstalledPhp
  /** Further lines of php.ini. */
  lines(directory: string): readonly string[]
  /** Further lines of each pool. */
  readonly pool: readonly string[]
  /** Of each pool; FEW and MANY when absent. */
  readonly workers?: readonly number[]
  readonly env: Readonly<Record<string, string>>
  /** Pages by name: PHP code. */
  readonly pages: Readonly<Record<string, string>>
}

/** Starts php-fpm under `php-sessions exec`. */
export function startFpm({ php, lines, pool, workers = [FEW, MANY], env, pages }: FpmOptions): Promise<Fpm> {
  return startServer({
    name: 'bench-fpm',
    ports: workers.length,
    command: ({ directory, ports }) => {
      const at = (name: string) => join(directory, name)
      for (const name of ['bin', 'tmp', 'none', 'sessions']) mkdirSync(at(name))
      for (const [name, code] of Object.entries(pages)) writeFileSync(at(`${name}.php`), `<?php ${code}`)
      const extensions = ['igbinary', 'msgpack', 'redis', 'posix'].map((name) => `extension=${name}`)
      const opcache = ['zend_extension=opcache', 'opcache.enable=1', 'session.gc_probability=0']
      writeFileSync(at('php.ini'), [...extensions, ...opcache, ...lines(directory), ''].join('\n'))
      writeFileSync(at('fpm.conf'), fpmConf(ports, workers, pool))
      // php-sessions looks for both by these names.
      writeProgram(at('bin/php'), php.cli([], {}))
      writeProgram(at('bin/php-fpm'), php.fpm([], {}))
      const asRoot = process.getuid?.() === 0 ? ['-R'] : []
      return {
        file: process.execPath,
        args: [PROGRAM, 'exec', '--', 'php-fpm', '-F', ...asRoot, '-c', directory, '-y', at('fpm.conf')],
        env: {
          PATH: `${at('bin')}:${process.env.PATH}`,
          PHPRC: directory,
          PHP_INI_SCAN_DIR: at('none'),
          TMPDIR: at('tmp'),
          ...env,
        },
        cwd: directory,
      }
    },
  }).then(({ directory, ports: [few = 0, many = 0], pid, log, stop }) => ({
    few,
    many,
    page: (name) => join(directory, `${name}.php`),
    pid,
    log,
    stop,
  }))
}

function fpmConf(ports: readonly number[], workers: readonly number[], lines: readonly string[]): string {
  const pools = workers.flatMap((count, i) => [
    ...[`[pool${i}]`, `listen = 127.0.0.1:${ports[i]}`, 'pm = static', `pm.max_children = ${count}`],
    ...lines,
  ])
  return ['[global]', 'daemonize = no', 'error_log = /proc/self/fd/2', ...pools, ''].join('\n')
}
