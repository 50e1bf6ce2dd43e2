import { type ExecFileOptions, execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { debian13Php, type InstalledPhp, machinePhp, PHP_LIMIT } from '../../../lab/php/installed.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { PROPERTY_RUNS } from '../properties.ts'

/** A PHP, and what tests do with it. */
export interface PhpUnderTest {
  readonly php: InstalledPhp
  /** PROPERTY_RUNS on the machine's own PHP, a fifth on another: most of what a property tries is TypeScript. */
  readonly propertyRuns: number
  /** The ini lines that load these extensions, in this order; there is no line for an extension that is built in. */
  loadExtensions(...names: readonly string[]): string
  /** Runs PHP code with this text as the only ini file; gives the printed bytes. */
  runPhp(ini: string, code: string, ...args: readonly string[]): Buffer
  /** Does the same without blocking, with further variables; gives the printed text. */
  startPhp(ini: string, code: string, env: Readonly<Record<string, string>>): Promise<string>
}

const own = underTest(machinePhp(), PROPERTY_RUNS)
const second = debian13Php()

/** Those of the machine's PHP. */
export const { loadExtensions, runPhp } = own

/** Why the PHP of Debian 13 is not among `PHPS`; undefined if it is. */
export const debian13Unavailable = 'unavailable' in second ? second.unavailable : undefined

/** The PHPs that run on this machine; every test of a PHP runs with each of them. */
export const PHPS: readonly (readonly [name: string, php: PhpUnderTest])[] = [
  [own.php.name, own],
  ...('unavailable' in second
    ? []
    : [[second.name, underTest(second, Math.ceil(PROPERTY_RUNS / 5))] as const]),
]

/** What tests do with a PHP; each PHP that they start ends by itself, `limit` says when. */
export function underTest(
  php: InstalledPhp,
  propertyRuns: number,
  limit: Pick<ExecFileOptions, 'timeout' | 'killSignal'> = PHP_LIMIT,
): PhpUnderTest {
  return {
    php,
    propertyRuns,
    loadExtensions: (...names) =>
      names
        .filter((name) => existsSync(join(php.extensionDirectory, `${name}.so`)))
        .map((name) => `extension=${name}\n`)
        .join(''),
    runPhp: (ini, code, ...rest) => {
      const directory = mkdtempSync(join(tmpdir(), 'php-sessions-test-'))
      try {
        const { file, args, env } = commandLine(php, directory, ini, ['-r', code, '--', ...rest])
        return execFileSync(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'], ...limit })
      } finally {
        rmSync(directory, { recursive: true })
      }
    },
    startPhp: async (ini, code, more) => {
      const { file, args, env } = commandLine(php, makeScratch('php'), ini, ['-r', code])
      return (await promisify(execFile)(file, [...args], { env: { ...env, ...more }, ...limit })).stdout
    },
  }
}

/** The command line of PHP, with this text as its only ini file, in this directory. */
function commandLine(php: InstalledPhp, directory: string, ini: string, args: readonly string[]) {
  writeFileSync(join(directory, 'php.ini'), ini)
  return php.cli(['-c', directory, ...args], {
    PATH: process.env.PATH,
    PHP_INI_SCAN_DIR: join(directory, 'none'),
    HOME: '/not/expanded',
  })
}
