import { renderValue } from '../core/formats/ini.ts'
import { makeMask } from '../core/mask.ts'
import { Secret } from '../core/secret.ts'
import type { Host } from '../host/host.ts'
import { askPhp, type PhpStart, ProbeSilent } from '../php/ask.ts'
import { secretsOf } from '../php/questions.ts'
import type { Plan } from '../plan/plan.ts'

/**
 * Tries a plan before it is used: the target PHP writes a session with it, reads it and removes it.
 *
 * `php` starts a PHP that has the extension. Returns what PHP said when that failed, without secrets.
 */
export function tryOut(host: Host, plan: Plan, php: PhpStart): string | undefined {
  // Every user of the machine can read a command line.
  const secret = plan.directives.filter(({ value }) => value instanceof Secret)
  // The trial does not run the file that the app itself has run before its pages.
  const plain = plan.directives.filter(
    (directive) => !secret.includes(directive) && directive.name !== 'php_sessions.auto_prepend_file',
  )
  const prepended = plan.directives.find(({ name }) => name === 'auto_prepend_file')
  const overrides = plain.flatMap(({ name, value }) => ['-d', `${name}=${renderValue(value)}`])
  const start: PhpStart = { ...php, command: [...php.command, ...overrides] }
  const question = {
    settings: Object.fromEntries(secret.map(({ name, value }) => [name, value as Secret])),
    prependFile: prepended === undefined ? '' : String(prepended.value),
  }
  try {
    const { step, error, said = [] } = askPhp(host, start, 'session', question, () => undefined)
    if (step === 'second' || step === 'done') return undefined
    return makeMask(secretsOf(plan))(error || said[0] || 'PHP gives no reason')
  } catch (fault) {
    if (fault instanceof ProbeSilent) return `PHP did not answer, exit status ${fault.status}`
    throw fault
  }
}
