import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SCAN_DIRECTORY = /^Scan for additional .ini files in: (.*)$/m.exec(
  execFileSync('php', ['--ini'], { encoding: 'utf8' }),
)?.[1]

/** The lines by which the distribution loads these extensions, in its order; PHP has others built in. */
export function loadExtensions(...names: readonly string[]): string {
  const files = readdirSync(SCAN_DIRECTORY ?? '')
  return names
    .filter((name) => files.some((file) => file.endsWith(`-${name}.ini`)))
    .map((name) => `extension=${name}\n`)
    .join('')
}

/** Runs PHP code with this text as the only ini file, and gives what it printed, as bytes. */
export function runPhp(ini: string, code: string, ...args: readonly string[]): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'php-sessions-test-'))
  try {
    writeFileSync(join(directory, 'php.ini'), ini)
    return execFileSync('php', ['-c', directory, '-r', code, '--', ...args], {
      env: { PATH: process.env.PATH, PHP_INI_SCAN_DIR: join(directory, 'none'), HOME: '/not/expanded' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  } finally {
    rmSync(directory, { recursive: true })
  }
}
