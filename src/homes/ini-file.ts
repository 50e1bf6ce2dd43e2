import { type Directive, renderComment, renderIni } from '../core/ini.ts'
import { VERSION } from '../core/version.ts'
import type { Plan } from '../plan/plan.ts'
import { summarise } from '../plan/report.ts'

/** The file of php-sessions among the app's own ini files: its name sorts first, so the app's settings win. */
export const INI_NAME = '00-php-sessions.ini'

/** Renders the whole ini file of a plan. `extensions` are those that it must load itself. */
export function renderIniFile(plan: Plan, extensions: readonly string[]): string {
  const head = renderComment(`php-sessions ${VERSION}: ${summarise(plan)}.`)
  if (plan.planned === undefined) return head
  const advice = renderComment(
    'Rewritten at every start. To change a setting, write it into an ini file of the app.',
  )
  return `${head}${advice}\n${renderExtensions(plan, extensions)}${renderIni(plan.directives)}`
}

function renderExtensions({ extensions: needed, planned }: Plan, toLoad: readonly string[]): string {
  const directives = toLoad.map(
    (extension): Directive => ({
      name: 'extension',
      value: extension,
      because:
        extension === planned?.store.name
          ? 'the session handler'
          : `${planned?.store.name} may be built to require it`,
    }),
  )
  if (directives.length > 0) return `${renderIni(directives)}\n`
  return `${renderComment(`PHP must have loaded ${needed.join(', ')}.`)}\n`
}
