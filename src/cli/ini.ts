import { hasError } from '../core/finding.ts'
import { DEFAULT_PHP } from '../core/php.ts'
import type { Host } from '../host/host.ts'
import { renderIniFile } from './ini-file.ts'
import { lookAround } from './look-around.ts'
import { readPlan } from './read-plan.ts'
import { renderFindings } from './report.ts'
import { writeFiles } from './write-files.ts'

/**
 * Prints the ini with its secrets in clear, or writes it to a file that only its owner can read.
 *
 * Certificates go beside that file; without one they are not written, and a warning says so.
 */
export function ini(host: Host, appDirectory: string, phpMajor: number, output: string | undefined): number {
  const directory = output === undefined ? `${host.env.TMPDIR ?? '/tmp'}/php-sessions` : parentOf(output)
  const php = { ...DEFAULT_PHP, major: phpMajor }
  const plan = lookAround(host, readPlan(host, appDirectory, { php, directory }), ['php'])
  host.err(renderFindings(plan.findings))
  if (hasError(plan.findings)) return 1
  const text = renderIniFile(plan, [])
  if (output === undefined) {
    host.err(renderFindings(plan.files.length === 0 ? [] : [unwritten(directory)]))
    host.out(text)
  } else {
    writeFiles(host, plan.files)
    host.writeFile(output, text, 0o600)
  }
  return 0
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash === -1 ? '.' : path.slice(0, slash)
}

function unwritten(directory: string) {
  return {
    id: 'ini.files',
    level: 'warn' as const,
    title: 'these settings name certificates that are not written anywhere',
    from: directory,
    fix: 'php-sessions ini --output FILE writes them beside FILE',
  }
}
