/** Encodes text as UTF-8, one character (0 to 255) a byte; half a surrogate pair becomes U+FFFD, as in Node. */
export function encodeUtf8(text: string): string {
  if (isAscii(text)) return text
  let bytes = ''
  for (const character of text.toWellFormed()) {
    const code = character.codePointAt(0) ?? 0
    if (code < 0x80) bytes += character
    else if (code < 0x800) bytes += byteString(0xc0 | (code >> 6), tail(code))
    else if (code < 0x10000) bytes += byteString(0xe0 | (code >> 12), tail(code >> 6), tail(code))
    else bytes += byteString(0xf0 | (code >> 18), tail(code >> 12), tail(code >> 6), tail(code))
  }
  return bytes
}

/** Decodes UTF-8; what is not UTF-8 becomes U+FFFD, as many of them as the WHATWG's decoder gives. */
export function decodeUtf8(bytes: string): string {
  if (isAscii(bytes)) return bytes
  let text = ''
  let i = 0
  while (i < bytes.length) {
    const first = bytes.charCodeAt(i++)
    const length =
      first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1
    if (length < 0) {
      text += '\ufffd'
      continue
    }
    let code = length === 0 ? first : first & (0x3f >> length)
    let missing = length
    // The second byte alone tells overlong forms, surrogates and what lies beyond U+10FFFF.
    let lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
    let highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
    while (missing > 0) {
      const next = bytes.charCodeAt(i)
      if (!(next >= lowest && next <= highest)) break
      code = (code << 6) | (next & 0x3f)
      lowest = 0x80
      highest = 0xbf
      missing--
      i++
    }
    text += missing === 0 ? String.fromCodePoint(code) : '\ufffd'
  }
  return text
}

function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text)
}

const byteString = String.fromCharCode

function tail(code: number): number {
  return 0x80 | (code & 0x3f)
}
