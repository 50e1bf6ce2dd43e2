/** Encodes text as UTF-8, one character (0 to 255) per byte; half a surrogate pair becomes U+FFFD, as in Node. */
export function encodeUtf8(text: string): string {
  if (isAscii(text)) return text
  return text.toWellFormed().replace(/[^\0-\x7f]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0
    if (code < 0x800) return String.fromCharCode(0xc0 | (code >> 6), tail(code))
    if (code < 0x10000) return String.fromCharCode(0xe0 | (code >> 12), tail(code >> 6), tail(code))
    return String.fromCharCode(0xf0 | (code >> 18), tail(code >> 12), tail(code >> 6), tail(code))
  })
}

/** Decodes UTF-8; other bytes become U+FFFD, as many as with the WHATWG's decoder. */
export function decodeUtf8(bytes: string): string {
  if (isAscii(bytes)) return bytes
  return bytes.replace(SEQUENCE, (sequence) => {
    const [first = 0, ...rest] = Array.from(sequence, (byte) => byte.charCodeAt(0))
    if (rest.length !== tailLength(first)) return '\ufffd'
    return String.fromCodePoint(
      rest.reduce((code, byte) => (code << 6) | (byte & 0x3f), first & (0x3f >> rest.length)),
    )
  })
}

/**
 * A sequence, the valid beginning of a truncated one, or a byte that is not allowed anywhere (RFC 3629, section 4).
 * The second byte alone shows overlong forms, surrogates, and values beyond U+10FFFF.
 */
const SEQUENCE =
  /[\xc2-\xdf][\x80-\xbf]?|(?:\xe0[\xa0-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]|\xed[\x80-\x9f])[\x80-\xbf]?|(?:\xf0[\x90-\xbf]|[\xf1-\xf3][\x80-\xbf]|\xf4[\x80-\x8f])[\x80-\xbf]{0,2}|[\x80-\xff]/g

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text)
}

function tail(code: number): number {
  return 0x80 | (code & 0x3f)
}

/** How many bytes must follow the first one. For a byte that cannot be first it is 1, which the match never has. */
function tailLength(first: number): number {
  if (first < 0xe0) return 1
  return first < 0xf0 ? 2 : 3
}
