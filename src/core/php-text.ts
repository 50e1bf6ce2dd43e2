import { revealIfSecret, type Secret } from './secret.ts'

/** What can be written as PHP: a value, a list, or an array with names. */
export type PhpValue =
  | null
  | boolean
  | number
  | string
  | Secret
  | readonly PhpValue[]
  | { readonly [name: string]: PhpValue }

/** Renders a file of PHP that gives this value to whoever includes it, secrets in clear. */
export function renderPhpFile(comment: string, value: PhpValue): string {
  return `<?php\n// ${comment}\nreturn ${renderPhp(value)};\n`
}

function renderPhp(value: PhpValue, indent = ''): string {
  const plain = revealIfSecret(value)
  if (plain === null || typeof plain !== 'object')
    return typeof plain === 'string' ? quotePhp(plain) : `${plain}`
  const inner = `${indent}    `
  const items = Array.isArray(plain)
    ? plain.map((item: PhpValue) => renderPhp(item, inner))
    : Object.entries(plain).map(([name, item]) => `${quotePhp(name)} => ${renderPhp(item, inner)}`)
  return items.length === 0 ? '[]' : `[\n${items.map((item) => `${inner}${item},\n`).join('')}${indent}]`
}

/** Quotes a text as PHP code: between single quotes nothing but these two characters has a meaning. */
export function quotePhp(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`
}
