import { revealIfSecret, type Secret } from '../secret.ts'

/** A value that can be written as PHP code: a scalar, a list, or an array with names. */
export type PhpValue =
  | null
  | boolean
  | number
  | string
  | Secret
  | readonly PhpValue[]
  | { readonly [name: string]: PhpValue }

/** Renders a PHP file that returns this value to the file that includes it, with secrets in clear. */
export function renderPhpFile(comment: string, value: PhpValue): string {
  return `<?php\n// ${comment}\nreturn ${renderPhpValue(value)};\n`
}

function renderPhpValue(value: PhpValue, indent = ''): string {
  const plain = revealIfSecret(value)
  if (plain === null || typeof plain !== 'object')
    return typeof plain === 'string' ? quotePhp(plain) : `${plain}`
  const inner = `${indent}    `
  const items = Array.isArray(plain)
    ? plain.map((item: PhpValue) => renderPhpValue(item, inner))
    : Object.entries(plain).map(([name, item]) => `${quotePhp(name)} => ${renderPhpValue(item, inner)}`)
  return items.length === 0 ? '[]' : `[\n${items.map((item) => `${inner}${item},\n`).join('')}${indent}]`
}

/** Quotes text as PHP code. Between single quotes only these two characters have a meaning. */
export function quotePhp(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`
}
