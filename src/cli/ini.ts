import { hasError } from '../core/finding.ts'
import { DEFAULT_PHP } from '../core/php.ts'
import type { Host } from '../host/host.ts'
import { renderIniFile } from './ini-file.ts'
import { readPlan } from './read-plan.ts'
import { renderFindings } from './report.ts'

/** Prints the ini with its secrets in clear, or writes it to a file that only its owner can read. */
export function ini(host: Host, appDirectory: string, phpMajor: number, output: string | undefined): number {
  const { plan } = readPlan(host, appDirectory, { ...DEFAULT_PHP, major: phpMajor })
  host.err(renderFindings(plan.findings))
  if (hasError(plan.findings)) return 1
  const text = renderIniFile(plan, [])
  if (output === undefined) host.out(text)
  else host.writeFile(output, text, 0o600)
  return 0
}
