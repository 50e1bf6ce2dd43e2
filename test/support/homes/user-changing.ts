import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Unavailable } from '../../../lab/processes/program.ts'
import { type Unpacked, unpackPackages } from '../../../lab/unpacked.ts'
import { EXECUTABLE } from './cloudfoundry.ts'
import { container } from './container.ts'

export const SAYS = `echo ini_get('session.save_handler'), ' ', posix_geteuid(), "\\n";`
const packages = {
  gosu: await unpackPackages('gosu', ['gosu']),
  s6: await unpackPackages('s6', [
    ...['s6', 'execline', 'libs6-2.13|libs6-2.12t64|libs6-2.12|libs6-2.11'],
    ...['libexecline2.10|libexecline2.9', 'libskarnet2.15|libskarnet2.14t64|libskarnet2.14|libskarnet2.13'],
  ]),
  supervisor: await unpackPackages('supervisor', ['supervisor', 'python3-pkg-resources']),
}
const whyNot = (one: Unpacked | Unavailable) => ('unavailable' in one ? one.unavailable : undefined)
const usrBin = (one: Unpacked | Unavailable) =>
  'unavailable' in one ? '/usr/bin' : join(one.directory, 'usr/bin')

/** Runs words where the programs of s6 lie in /usr/bin, from where they start each other. */
export function withS6(words: readonly string[]): string[] {
  const mount = `mount -t overlay none -o lowerdir=${usrBin(packages.s6)}:/usr/bin /usr/bin`
  return ['-m', 'bash', '-c', `${mount} && exec "$@"`, 'bash', ...words]
}

/** The package brings no Python. */
export const SUPERVISORD = ['/usr/bin/python3', join(usrBin(packages.supervisor), 'supervisord')] as const

export const whyNoGosu = whyNot(packages.gosu)
export const whyNoS6 =
  whyNot(packages.s6) ??
  (spawnSync('unshare', withS6(['true'])).status === 0 ? undefined : 'no overlay can be mounted for s6')
export const whyNoSupervisor =
  whyNot(packages.supervisor) ??
  (existsSync(SUPERVISORD[0]) ? undefined : `supervisord needs ${SUPERVISORD[0]}, which is missing`)

/** A container with a store, a page script, and the programs of the packages. */
export function withStore(env: Readonly<Record<string, string>> = {}) {
  const bound = container({ REDIS_URL: 'redis://:s3cret@127.0.0.1:6379', ...env })
  const script = join(bound.directory, 'says.php')
  writeFileSync(script, `<?php ${SAYS}`)
  const found = Object.values(packages).filter((one): one is Unpacked => !('unavailable' in one))
  const path = found.flatMap(({ directory }) => [`${directory}/usr/bin`, `${directory}/usr/sbin`])
  const more: Readonly<Record<string, string>> = {
    PATH: [...path, process.env.PATH].join(':'),
    LD_LIBRARY_PATH: found.map(({ libraryPath }) => libraryPath).join(':'),
    PYTHONPATH: found.map(({ directory }) => `${directory}/usr/lib/python3/dist-packages`).join(':'),
  }
  return { ...bound, script, env: { ...bound.env, ...more } }
}

type Bound = ReturnType<typeof withStore>

export const run = (
  { env, directory }: Bound,
  command: readonly string[],
  program: readonly string[] = [EXECUTABLE],
) => {
  const [file = '', ...before] = program
  const args = [...before, 'exec', '--', ...command]
  return spawnSync(file, args, { env, cwd: directory, encoding: 'utf8', timeout: 60_000 })
}
