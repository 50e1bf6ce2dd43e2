import { fc } from '../properties.ts'

// biome-ignore format: a list
const special = fc.constantFrom(
  ...`"'\\$\{}%&+,;#=@^|~!()[]<>?:/*-._ \t\r\n\x01\x1b\x7f`,
  '${HOME}', '${', '"\n', '\\"\r', '$""{', '@@', '@{HOME}', '${TMPDIR}', '%41', 'none', 'E_ALL', 'é', '\u2028', '🐘',
)

/**
 * Texts that a password can be: anything but NUL, half a character, and U+FFFD, which stands for one. Many have
 * characters that break ini files and URLs.
 */
export const passwords = fc
  .oneof(
    fc.array(special, { minLength: 1, maxLength: 40 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
    fc.string({ minLength: 100, maxLength: 300 }),
  )
  .filter((text) => !text.includes('\0') && text.isWellFormed() && !text.includes('\ufffd'))
