import { renderValue } from '../core/ini.ts'
import { Secret } from '../core/secret.ts'
import type { Host } from '../host/host.ts'
import { askPhp, ProbeSilent } from '../php/ask.ts'
import { secretsOf } from '../php/questions.ts'
import type { Plan } from '../plan/plan.ts'

/**
 * Tries a plan out before it is used: the target PHP writes a session by it, reads that and removes it.
 *
 * `php` starts one that has the extension. Gives what PHP said where that failed, without secrets.
 */
export function tryOut(host: Host, plan: Plan, php: readonly string[]): string | undefined {
  // A word of a command line can be read by everybody.
  const secret = plan.directives.filter(({ value }) => value instanceof Secret)
  // What the app has run before its pages is not ours to run.
  const plain = plan.directives.filter(
    (directive) => !secret.includes(directive) && directive.name !== 'php_sessions.auto_prepend_file',
  )
  const prepended = plan.directives.find(({ name }) => name === 'auto_prepend_file')
  const command = [...php, ...plain.flatMap(({ name, value }) => ['-d', `${name}=${renderValue(value)}`])]
  const question = {
    settings: Object.fromEntries(secret.map(({ name, value }) => [name, value as Secret])),
    prependFile: prepended === undefined ? '' : String(prepended.value),
    secrets: secretsOf(plan),
  }
  try {
    const {
      step,
      error,
      said = [],
    } = askPhp(host, { command, env: {} }, 'session', question, () => undefined)
    if (step === 'second' || step === 'done') return undefined
    return error ?? said[0] ?? 'PHP gave up without a word'
  } catch (fault) {
    if (fault instanceof ProbeSilent) return `PHP gave no answer, exit status ${fault.status}`
    throw fault
  }
}
