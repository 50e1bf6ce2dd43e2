import notice from '../../NOTICE'
import { FAILED, INTERNAL_FAULT, WRONG_USAGE } from '../core/exit-status.ts'
import { joinWords, nearest, oneLine } from '../core/text.ts'
import { VERSION } from '../core/version.ts'
import { type Host, HostError, Interrupted } from '../host/host.ts'
import { fileFinding, renderFindings } from '../plan/report.ts'
import { type Command, commands, renderCommandHelp, renderHelp, renderOptionsHelp } from './commands.ts'

/** Runs one command line; `args` excludes the name of the program. Returns the exit status, never throws. */
export function main(host: Host, args: readonly string[]): number | Promise<number> {
  const explain = (error: unknown) => explainError(host, error)
  try {
    const status = run(host, args)
    return typeof status === 'number' ? status : status.catch(explain)
  } catch (error) {
    return explain(error)
  }
}

function explainError(host: Host, error: unknown): number {
  if (error instanceof Interrupted) return error.status
  if (error instanceof UsageError) return fail(host, `${error.message}\n`, WRONG_USAGE)
  if (error instanceof HostError) return fail(host, renderFindings([fileFinding(error)]), FAILED)
  const what = oneLine(error instanceof Error ? `${error.name}: ${error.message}` : String(error))
  return fail(
    host,
    `php-sessions ${VERSION}: ${what}\nthis is a fault in php-sessions: report it with the command that you ran\n`,
    INTERNAL_FAULT,
  )
}

/** What is asked without a command. */
const OUTSIDE = ['--help', '--version', '--licences']

class UsageError extends Error {}

function fail(host: Host, message: string, status: number): number {
  host.err(message)
  return status
}

function run(host: Host, args: readonly string[]): number | Promise<number> {
  const [first, ...rest] = joinName(args)
  if (first === '--version') return answer(host, `${VERSION}\n`)
  if (first === '--licences' || first === '--licenses') return answer(host, notice)
  if (first === undefined || first === '--help' || first === '-h') return answer(host, renderHelp())
  if (first === 'help') return answer(host, helpOn(joinName(rest)[0]))
  const command = findCommand(first)
  const [own, trailing] = splitTrailing(command, rest)
  if (own.includes('--help') || own.includes('-h')) return answer(host, renderCommandHelp(command))
  const { values, flags } = readArguments(command, own)
  if (command.trailing === undefined) return command.run(host, values, flags)
  if (trailing.length > 0) return command.run(host, trailing, flags)
  throw wrongCount(command, trailing)
}

/** The name of a command may have two words. */
function joinName(args: readonly string[]): readonly string[] {
  const two = args.slice(0, 2).join(' ')
  return commands.some(({ name }) => name === two) ? [two, ...args.slice(2)] : args
}

/** Separates the arguments of php-sessions from those after `--`, which belong to another command. */
function splitTrailing({ trailing }: Command, args: readonly string[]) {
  const at = trailing === undefined ? -1 : args.indexOf('--')
  return at === -1 ? ([args, []] as const) : ([args.slice(0, at), args.slice(at + 1)] as const)
}

function answer(host: Host, text: string): number {
  host.out(text)
  return 0
}

function helpOn(topic: string | undefined): string {
  if (topic === undefined) return renderHelp()
  return topic === 'options' ? renderOptionsHelp() : renderCommandHelp(findCommand(topic))
}

function findCommand(name: string): Command {
  const command = commands.find((candidate) => candidate.name === name)
  if (command !== undefined) return command
  const suggestion = nearest(name, [...commands.map((candidate) => candidate.name), 'help', ...OUTSIDE])
  throw new UsageError(
    `there is no command \`${oneLine(name)}\`; did you mean ${suggestion}? See php-sessions --help`,
  )
}

function readArguments(command: Command, args: readonly string[]) {
  const { name, parameters, optional, choices, flags } = command
  const values: string[] = []
  const given: Record<string, string> = {}
  const long = (word: string) => {
    const found = Object.entries(flags).find(
      ([, { letter }]) => letter !== undefined && word === `-${letter}`,
    )
    return found === undefined ? word : `--${found[0]}`
  }
  for (let i = 0; i < args.length; i++) {
    const word = long(args[i] ?? '')
    if (!word.startsWith('--')) {
      values.push(word)
      continue
    }
    const [flag = '', inline] = word.slice(2).split(/=(.*)/s)
    const known = flags[flag]
    if (known === undefined) throw unknownFlag(name, flag, Object.keys(flags))
    if (known.value === undefined && inline === undefined) {
      given[flag] = 'on'
      continue
    }
    const value = inline ?? args[++i]
    if (
      known.value === undefined ||
      value === undefined ||
      (known.pattern !== undefined && !known.pattern.test(value))
    )
      throw new UsageError(
        `expected --${flag}${known.value === undefined ? ' without a value' : ` ${known.value}`}, got ${value === undefined ? 'nothing' : `\`${oneLine(value)}\``}`,
      )
    given[flag] = value
  }
  const stranger = values.find((value) => choices?.words.includes(value) === false)
  if (choices !== undefined && stranger !== undefined)
    throw new UsageError(
      `there is no ${choices.name} \`${oneLine(stranger)}\`; did you mean ${nearest(stranger, choices.words)}? See php-sessions ${name} --list`,
    )
  const most = parameters.length + (optional === undefined ? 0 : 1)
  if (choices === undefined && (values.length < parameters.length || values.length > most))
    throw wrongCount(command, values)
  for (const [flag, { isRequired, value = '' }] of Object.entries(flags))
    if (isRequired === true && given[flag] === undefined)
      throw new UsageError(`expected --${flag} ${value} after ${name}, got none`)
  return { values, flags: given }
}

function wrongCount(command: Command, values: readonly string[]): UsageError {
  const { name, parameters, optional, trailing } = command
  const none = optional === undefined ? 'no arguments' : `at most one argument, ${optional},`
  const named = parameters.length === 0 ? none : joinWords(parameters, 'and')
  const expected = trailing === undefined ? named : `-- ${trailing}`
  const got = values.length === 0 ? 'none' : `\`${oneLine(values.join(' '))}\``
  return new UsageError(`expected ${expected} after ${name}, got ${got}`)
}

function unknownFlag(command: string, flag: string, known: readonly string[]): UsageError {
  const suggestion = known.length === 0 ? 'it takes no options.' : `did you mean --${nearest(flag, known)}?`
  return new UsageError(
    `${command} has no option --${oneLine(flag)}; ${suggestion} See php-sessions help ${command}`,
  )
}
