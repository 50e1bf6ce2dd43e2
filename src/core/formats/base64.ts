const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Decodes base64 to one character (0 to 255) per byte; undefined for other text. QuickJS has no `atob`. */
export function decodeBase64(text: string): string | undefined {
  const digits = text
    .replace(/\s+/g, '')
    .replace(/={1,2}$/, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/')
  if (digits.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(digits)) return undefined
  let bytes = ''
  for (let i = 0; i < digits.length; i += 4) {
    const group = digits.slice(i, i + 4)
    const bits = [...group.padEnd(4, 'A')].reduce((sum, digit) => sum * 64 + ALPHABET.indexOf(digit), 0)
    bytes += String.fromCharCode(bits >> 16, (bits >> 8) & 255, bits & 255).slice(0, group.length - 1)
  }
  return bytes
}
