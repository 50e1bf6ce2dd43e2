import { oneLine } from '../core/text.ts'
import { VERSION } from '../core/version.ts'
import { describeExceptions } from '../homes/kept.ts'
import type { Host } from '../host/host.ts'
import { ProbeSilent } from '../php/ask.ts'
import { placesOf, settingOf, webOf } from '../php/web/web.ts'
import { formatPlace, renderFindings } from '../plan/report.ts'
import type { Platform } from '../platforms/platform.ts'
import type { CheckResult, Context, Status } from './check.ts'
import { pageOf } from './page.ts'

/** How the output looks to the terminal or program that reads it. */
export interface Style {
  readonly symbols: Readonly<Record<Status, string>>
  readonly isVerbose: boolean
  paint(status: Status, text: string): string
}

const SYMBOLS = { ok: '✓', warn: '!', error: '✗', skipped: '-' }
const ASCII = { ok: 'ok', warn: '! ', error: 'X ', skipped: '- ' }
const COLOURS = { ok: 32, warn: 33, error: 31, skipped: 2 }

/** Chooses colour only for a terminal (https://no-color.org), and ASCII where the locale is not UTF-8. */
export function styleFor({ env, isTerminal }: Host, flags: Readonly<Record<string, string>>): Style {
  const isPlain = (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb' || !isTerminal()
  const isColoured = flags.color === 'always' || (flags.color !== 'never' && !isPlain)
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '')
  return {
    symbols: /utf-?8/i.test(locale ?? '') ? SYMBOLS : ASCII,
    isVerbose: flags.verbose !== undefined,
    paint: (status, text) => (isColoured ? `\x1b[${COLOURS[status]}m${text}\x1b[0m` : text),
  }
}

/** Says which PHP is examined, because the fault is often that this is not the PHP one expects. */
export function renderHead({ ask }: Context, platform: Platform): string {
  const head = `php-sessions ${VERSION} on ${platform.title}\n`
  try {
    const settings = ask('settings')
    const web = webOf(settings)
    const cli = web.isFpm
      ? `${oneLine(`php ${settings.version} on the command line reads ${placesOf(settings.cli)}`)}\n`
      : ''
    return `${head}${oneLine(`${web.name} reads ${placesOf(web)}`)}\n${cli}\n`
  } catch (error) {
    if (error instanceof ProbeSilent) return `${head}\n`
    throw error
  }
}

/** Renders a check in one line, with its findings below. Without `-v` only the findings, if there are any. */
export function renderCheck(
  { status, id, title, milliseconds, findings }: CheckResult,
  style: Style,
): string {
  if (status === 'skipped' && !style.isVerbose) return ''
  const mark = (level: Status) => style.paint(level, style.symbols[level])
  const time = style.isVerbose ? `, ${milliseconds} ms` : ''
  const first = findings.length === 0 || style.isVerbose ? `${mark(status)} ${oneLine(title)}` : ''
  const own = first === '' ? '' : `${first}${style.isVerbose ? `  (${id}${time})` : ''}\n`
  return own + renderFindings(findings, { mark, indent: own === '' ? '' : '  ' })
}

/** Renders the last line, which matters most: where the sessions are, or what to do first. */
export function renderLast(
  context: Context,
  results: readonly CheckResult[],
  { isSelection, isStrict }: { readonly isSelection: boolean; readonly isStrict: boolean },
  { paint }: Style,
): string {
  const { planned } = context.plan
  const findings = results.flatMap((result) => result.findings)
  const errors = findings.filter(({ level }) => level === 'error')
  const warnings = findings.length - errors.length
  const [first] = isStrict && errors.length === 0 ? findings : errors
  const counts = [count(errors.length, 'error'), count(warnings, 'warning')].filter((text) => text !== '')
  if (first !== undefined) return `\n${paint(first.level, counts.join(', '))}. First: ${oneLine(first.fix)}\n`
  const skipped = results.filter(({ status }) => status === 'skipped').length
  const where =
    planned === undefined
      ? describeUnbound(context)
      : `${planned.store.title} service ${planned.service} at ${formatPlace(planned)}${describeExceptions(context.kept)}`
  const what = isSelection
    ? `${count(results.length - skipped, 'check') || 'no check'} done`
    : `Sessions are ready: ${where}`
  return `\n${paint('ok', oneLine(what))}${counts.length === 0 ? '' : `, with ${counts.join(', ')}`}.\n`
}

/** Without a binding PHP keeps sessions where its own settings say. */
function describeUnbound(context: Context): string {
  try {
    const page = pageOf(context)
    const handler = settingOf(page, 'session.save_handler').value
    return handler === 'files' ? 'local files' : `${handler} at ${settingOf(page, 'session.save_path').value}`
  } catch (error) {
    if (error instanceof ProbeSilent) return 'local files'
    throw error
  }
}

function count(number: number, what: string): string {
  if (number === 0) return ''
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
