import { CRASHED } from '../core/exit-status.ts'
import type { Host } from '../host/host.ts'
import type { SettingsAnswer } from '../php/answers.ts'
import { type Log, limitSecondsOf, type PhpStart, ProbeSilent, type Question } from '../php/ask.ts'
import { askForSettings } from '../php/web/web.ts'

/** PHP 8.1 before 8.1.3 crashes at an ini file that its user may not read (php-src GH-7883). */
export class PhpUnreadable extends ProbeSilent {
  /** E.g. `php-fpm 8.1.2`. */
  readonly php: string
  readonly file: string

  constructor(php: string, file: string) {
    super(php, CRASHED, limitSecondsOf('settings'))
    this.php = php
    this.file = file
  }
}

/** Asks for the settings of PHP and of php-fpm; where one crashes, without ini files, for the one that it may not read. */
export function askSettings(
  host: Host,
  start: PhpStart,
  question: Question,
  log: Log,
): Partial<SettingsAnswer> {
  const ask = (options: readonly string[]) =>
    askForSettings(host, { ...start, command: [...start.command, ...options] }, question, log)
  try {
    const answer = ask([])
    const { version, crashesAt = null } = answer.fpm ?? {}
    if (crashesAt !== null) throw new PhpUnreadable(`php-fpm ${version}`, crashesAt)
    return answer
  } catch (error) {
    if (!(error instanceof ProbeSilent) || error.status !== CRASHED || error instanceof PhpUnreadable)
      throw error
    const { version, cli } = ask(['-n'])
    const file = cli?.unreadable[0]
    throw file === undefined ? error : new PhpUnreadable(`PHP ${version}`, file)
  }
}
