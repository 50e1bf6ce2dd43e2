import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { askFpm } from '../../../lab/php/fastcgi.ts'
import { type InstalledPhp, machinePhp } from '../../../lab/php/installed.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { startServer } from '../../../lab/processes/server.ts'
import { startLoad } from '../php/load.ts'
import { EXECUTABLE } from './cloudfoundry.ts'

const isRoot = process.getuid?.() === 0

/** A container with this in its environment: where it keeps temporary files nobody else does. */
export function container(env: Readonly<Record<string, string>> = {}) {
  const directory = makeScratch('exec')
  const temporary = join(directory, 'tmp')
  mkdirSync(temporary)
  chmodSync(directory, 0o755)
  chmodSync(temporary, 0o1777)
  return {
    directory,
    env: { PATH: process.env.PATH, TMPDIR: temporary, ...env },
    /** What php-sessions has there. */
    left: () => readdirSync(temporary).filter((name) => name.startsWith('php-sessions-')),
    ours: () =>
      join(temporary, readdirSync(temporary).find((name) => name.startsWith('php-sessions-')) ?? 'none'),
  }
}

export type Container = ReturnType<typeof container>

export interface FpmOptions {
  /** How php-sessions is started. */
  readonly program?: readonly string[]
  /** Arguments of exec, before `--`. */
  readonly args?: readonly string[]
  /** The machine's own when absent. */
  readonly php?: InstalledPhp
  /** Further lines of its only pool. */
  readonly pool?: readonly string[]
  /** Pages by name: PHP code. */
  readonly pages: Readonly<Record<string, string>>
}

/** Starts php-fpm under exec; where we are root its workers are nobody. */
export async function startFpm(
  { env, directory }: Container,
  {
    program: [program = '', ...before] = [EXECUTABLE],
    args: ours = [],
    php = machinePhp(),
    pool = ['pm.max_children = 2'],
    pages,
  }: FpmOptions,
) {
  for (const [name, code] of Object.entries(pages))
    writeFileSync(join(directory, `${name}.php`), `<?php ${code}`)
  const server = await startServer({
    name: 'fpm',
    ports: 1,
    command: ({ directory: own, ports: [port] }) => {
      const lines = [
        ...['[global]', 'daemonize = no', 'error_log = /proc/self/fd/2', 'process_control_timeout = 10'],
        ...['[www]', `listen = 127.0.0.1:${port}`, 'pm = static', ...pool],
        ...(isRoot ? ['user = nobody', 'group = nogroup'] : []),
      ]
      writeFileSync(join(own, 'fpm.conf'), `${lines.join('\n')}\n`)
      return {
        file: program,
        args: [...before, 'exec', ...ours, '--', 'php-fpm', '-y', join(own, 'fpm.conf')],
        env: { ...env, PATH: `${commandsOf(php, directory)}:${env.PATH}` },
        cwd: directory,
      }
    },
  })
  onTestFinished(server.stop)
  const [port = 0] = server.ports
  return {
    ...server,
    ask: (name: string, cookie = '') => askFpm(port, join(directory, `${name}.php`), cookie),
  }
}

/** A directory in which this PHP is `php` and `php-fpm`, as in an image of its own. */
function commandsOf({ cli, fpm }: InstalledPhp, directory: string): string {
  const bin = join(directory, 'bin')
  mkdirSync(bin, { recursive: true })
  for (const [name, program] of Object.entries({ php: cli, 'php-fpm': fpm })) {
    const { file, args } = program([])
    if (file === name) continue
    const words = [file, ...args].map((word) => `'${word}'`).join(' ')
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 })
  }
  return bin
}

/** Visitors of PAGES that are among this php-fpm's pages; `together` more have one session in common. */
export const loadOn = (fpm: Awaited<ReturnType<typeof startFpm>>, visitors: number, together = 0) =>
  startLoad(
    () => {
      let cookie = ''
      return async (page) => {
        const got = await fpm.ask(page, cookie)
        cookie = /PHPSESSIONID=[^;\s]+/.exec(got)?.[0] ?? cookie
        return got
      }
    },
    visitors,
    together,
  )
