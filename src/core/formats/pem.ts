import { decodeBase64 } from './base64.ts'

/**
 * The PEM blocks of a text, without anything else; undefined if it has none.
 *
 * Reads plain PEM, PEM in which some tool wrote line breaks as `\n`, and PEM that is in base64 as a whole, as IBM's.
 */
export function readPem(text: string): string | undefined {
  const plain = text.includes(BEGIN) ? text : (decodeBase64(text) ?? '')
  const blocks = findBlocks(plain.replaceAll('\\r', '').replaceAll('\\n', '\n'))
  return blocks.length === 0 ? undefined : `${blocks.join('\n')}\n`
}

const BEGIN = '-----BEGIN '
const END = '-----END '

/** Searches without a regular expression: the system's bundle of certificates has 200 KB. */
function findBlocks(text: string): readonly string[] {
  const blocks: string[] = []
  for (let at = text.indexOf(BEGIN); at !== -1; at = text.indexOf(BEGIN, at + 1)) {
    const label = text.slice(at + BEGIN.length, text.indexOf('-----', at + BEGIN.length))
    const last = `${END}${label}-----`
    const end = text.indexOf(last, at)
    const block = end === -1 ? '' : text.slice(at, end + last.length)
    if (block !== '' && !/[^A-Za-z0-9+/=\s:,-]/.test(block)) blocks.push(block)
  }
  return blocks
}
