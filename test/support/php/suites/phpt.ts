import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { InstalledPhp } from '../../../../lab/php/installed.ts'

/** A test of PHP's own, by the names of its sections. */
export type Phpt = ReadonlyMap<string, string>

/** Why a test says nothing, or how it ended. */
export type PhptResult =
  | { readonly kind: 'passed' | 'failed'; readonly output: string }
  | { readonly kind: 'skipped'; readonly reason: string }

/** Sections of requests, which only PHP's CGI program is given. */
const OF_REQUESTS = ['GET', 'POST', 'POST_RAW', 'PUT', 'COOKIE', 'CGI', 'EXPECTHEADERS']
const EXPECTATIONS = ['EXPECT', 'EXPECTF', 'EXPECTREGEX']
const KNOWN = [
  ...EXPECTATIONS,
  'TEST',
  'DESCRIPTION',
  'CREDITS',
  'EXTENSIONS',
  'SKIPIF',
  'INI',
  'FILE',
  'CLEAN',
]

/** What php-src's run-tests.php sets for all tests. */
const BASE_INI = `error_reporting=32767
display_errors=1
display_startup_errors=1
log_errors=0
html_errors=0
output_buffering=0
memory_limit=128M
precision=14
serialize_precision=-1
`

/** The lines of an ini that choose the handler. */
const HANDLER = /^(session\.save_(handler|path)|auto_prepend_file)\s*=.*$/gm

export function parsePhpt(text: string): Phpt {
  const parts = text.replaceAll('\r\n', '\n').split(/^--([A-Z_]+)--\n/m)
  const names = parts.filter((_, i) => i % 2 === 1)
  return new Map(names.map((name, i) => [name, parts[2 * i + 2] ?? '']))
}

/** Why this runner cannot run a test, if it cannot. */
export function whyNotRun(phpt: Phpt): string | undefined {
  const missing = OF_REQUESTS.filter((name) => phpt.has(name))
  if (missing.length > 0) return `needs php-cgi for ${missing.join(', ')}`
  if (phpt.has('XFAIL')) return `PHP itself fails: ${phpt.get('XFAIL')?.trim()}`
  const unknown = [...phpt.keys()].filter((name) => !KNOWN.includes(name))
  return unknown.length > 0 ? `has sections that are not known here: ${unknown.join(', ')}` : undefined
}

/**
 * Runs a test in a directory with the files that it includes. The settings of the test follow `ini`, but for the save
 * handler and path: the handler that `ini` names is the one under test. `saidBySkip` keeps what SKIPIF sections have said.
 */
export async function runPhpt(
  php: InstalledPhp,
  directory: string,
  name: string,
  ini: string,
  saidBySkip: Map<string, string>,
): Promise<PhptResult> {
  const phpt = parsePhpt(readFileSync(join(directory, `${name}.phpt`), 'latin1'))
  const notRun = whyNotRun(phpt)
  if (notRun !== undefined) return { kind: 'skipped', reason: notRun }
  const own = (phpt.get('INI') ?? '').replaceAll('{PWD}', directory).replaceAll(HANDLER, '')
  const run = async (section: string) => {
    const file = join(directory, `${name}.${section === 'FILE' ? '' : `${section.toLowerCase()}.`}php`)
    writeFileSync(file, phpt.get(section) ?? '', 'latin1')
    const prepared = section === 'FILE' ? ini : ini.replaceAll(HANDLER, '')
    return printedBy(php, directory, file, `${BASE_INI}${prepared}\n${own}`)
  }
  const skip = phpt.get('SKIPIF')
  if (skip !== undefined) {
    // Most have the same few lines.
    const said = saidBySkip.get(skip) ?? (await run('SKIPIF'))
    saidBySkip.set(skip, said)
    if (/^\s*skip/im.test(said)) return { kind: 'skipped', reason: said.trim() }
  }
  const output = await run('FILE')
  if (phpt.has('CLEAN')) await run('CLEAN')
  return { kind: isExpected(phpt, output) ? 'passed' : 'failed', output }
}

const LIMIT_MILLISECONDS = 30_000

/** What PHP printed, on both of its outputs; a page that hangs is killed. */
function printedBy(php: InstalledPhp, directory: string, script: string, ini: string): Promise<string> {
  const iniFile = `${script}.ini`
  writeFileSync(iniFile, ini, 'latin1')
  const { file, args, env } = php.cli(['-c', iniFile, '-f', script], {
    PATH: process.env.PATH,
    PHP_INI_SCAN_DIR: join(directory, 'none'),
    TEST_PHP_EXECUTABLE: 'false',
  })
  const options = {
    cwd: directory,
    env,
    timeout: LIMIT_MILLISECONDS,
    killSignal: 'SIGKILL',
    encoding: 'latin1',
  } as const
  return new Promise((resolve) => {
    execFile(file, args, options, (_error, stdout, stderr) => resolve(stdout + stderr)).stdin?.end()
  })
}

/** Whether a test's output is as it expects, by the rules of php-src's run-tests.php. */
export function isExpected(phpt: Phpt, output: string): boolean {
  const trimmed = output.replaceAll('\r\n', '\n').trim()
  const exact = phpt.get('EXPECT')
  if (exact !== undefined) return trimmed === exact.trim()
  const pattern = phpt.get('EXPECTREGEX')?.trim() ?? regexOf((phpt.get('EXPECTF') ?? '').trim())
  return new RegExp(`^${pattern}$`, 's').test(trimmed)
}

const PLACEHOLDERS: Readonly<Record<string, string>> = {
  '%e': '/',
  '%s': '[^\\r\\n]+',
  '%S': '[^\\r\\n]*',
  '%a': '.+?',
  '%A': '.*?',
  '%w': '\\s*',
  '%i': '[+-]?\\d+',
  '%d': '\\d+',
  '%x': '[0-9a-fA-F]+',
  '%f': '[+-]?(?:\\d+|(?=\\.\\d))(?:\\.\\d+)?(?:[Ee][+-]?\\d+)?',
  '%c': '.',
  '%0': '\\x00',
}

/** The pattern of an EXPECTF section; what is between two `%r` is one already. */
function regexOf(text: string): string {
  return text
    .split('%r')
    .map((part, i) => (i % 2 === 1 ? `(?:${part})` : regexOfText(part)))
    .join('')
}

function regexOfText(text: string): string {
  return text
    .split(/(%[esSaAwidxfc0])/)
    .map((part) => PLACEHOLDERS[part] ?? part.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
    .join('')
}
