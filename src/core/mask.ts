import type { Secret } from './secret.ts'

const DOTS = '••••'
/** A shorter secret may be part of any word, and dots inside a word would reveal it. */
const LONG = 8

/**
 * Makes a function that removes secrets from text of PHP or a server before people read it.
 *
 * A short secret is hidden where it stands alone: `done` in `auth=done`, not in `abandoned`. Text for programs must
 * not go through it: a password may be a word of a protocol.
 */
export function makeMask(secrets: readonly Secret[]): (text: string) => string {
  const forms = formsOf(secrets)
  if (forms.length === 0) return (text) => text
  const long = forms.filter(({ length }) => length >= LONG)
  const short = forms.filter(({ length }) => length < LONG).map(patternOf)
  const words = short.length === 0 ? undefined : new RegExp(short.join('|'), 'g')
  // A pattern of a save_path with hundreds of servers is too long for a regular expression.
  const withoutLong = (text: string) => long.reduce((rest, form) => rest.replaceAll(form, DOTS), text)
  return (text) => (words === undefined ? withoutLong(text) : withoutLong(text).replace(words, DOTS))
}

/** Makes a function that does the same in a whole text, where a short secret would hide words of php-sessions. */
export function makeLongMask(secrets: readonly Secret[]): (text: string) => string {
  return makeMask(secrets.filter((secret) => secret.reveal().length >= LONG))
}

/** Every form in which a secret may appear, the longest first. */
function formsOf(secrets: readonly Secret[]): readonly string[] {
  const forms = secrets
    .map((secret) => secret.reveal())
    .flatMap((secret) => [
      ...[secret, encodeURIComponent(secret), encodeURIComponent(secret).replaceAll('%20', '+')],
      ...[JSON.stringify(secret).slice(1, -1), secret.replace(/['"\\\0]/g, '\\$&')],
    ])
  return [...new Set(forms)].filter((form) => form !== '').toSorted((a, b) => b.length - a.length)
}

function patternOf(form: string): string {
  const escaped = form.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
  return `(?<![A-Za-z0-9])${escaped}(?![A-Za-z0-9])`
}
