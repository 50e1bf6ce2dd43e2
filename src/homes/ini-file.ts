import { renderComment, renderIni } from '../core/formats/ini.ts'
import { VERSION } from '../core/version.ts'
import type { Plan } from '../plan/plan.ts'
import { describePurpose } from '../plan/report.ts'

/** The file of php-sessions among the app's own ini files: its name sorts first, so the app's settings win. */
export const INI_NAME = '00-php-sessions.ini'

/**
 * Renders the whole ini file of a plan. The extensions that it needs are loaded elsewhere.
 *
 * Its first line says what the settings are for, not where sessions are kept, because files that PHP reads later
 * decide that, too.
 */
export function renderIniFile(plan: Plan): string {
  const head = renderComment(`php-sessions ${VERSION}: ${describePurpose(plan)}.`)
  if (plan.planned === undefined) return head
  const advice = renderComment(
    'Rewritten at every start. To change a setting, write it into an ini file of the app.',
  )
  const needed = renderComment(`PHP must have loaded ${plan.extensions.join(', ')}.`)
  return `${head}${advice}\n${needed}\n${renderIni(plan.directives)}`
}
