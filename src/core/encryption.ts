import type { Sourced } from './binding.ts'
import type { Finding } from './finding.ts'
import { decodeBase64 } from './formats/base64.ts'
import { Secret } from './secret.ts'

/** How sessions are encrypted in the store. */
export interface Encryption {
  /**
   * The keys in hex: the first one writes, all are tried for reading. An empty one stands for sessions that are not
   * encrypted.
   */
  readonly keys: readonly (Secret | '')[]
  readonly from: string
}

/**
 * The words that may be in the list of keys: `plain` for sessions that are not encrypted, `only` if there are none.
 */
const PLAIN = 'plain'
const ONLY = 'only'

const KEY_BYTES = 32
/** Base64 of a key, with or without the sign at the end. */
const BASE64_LENGTHS = [43, 44]
/** Random keys have about 30 different bytes. */
const LEAST_DIFFERENT = 8

const MAKE_KEY = 'make a key with: openssl rand -base64 32'

/**
 * Reads a list of keys, with commas or line breaks between them. Plain sessions are tried after the keys, unless the
 * list has `plain` elsewhere, or `only`.
 */
export function parseKeys({ value, from }: Sourced<Secret>): {
  readonly value: Encryption | undefined
  readonly findings: readonly Finding[]
} {
  const entries = value
    .reveal()
    .split(/[,\n]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
  const written = entries.filter((entry) => entry !== ONLY)
  const keys = written.map((entry) => (entry === PLAIN ? '' : readKey(entry)))
  const fault = findFault(keys, entries)
  if (fault !== undefined) return { value: undefined, findings: [keyFinding(fault, from)] }
  const isAll = entries.includes(ONLY) || written.includes(PLAIN)
  const hex = [...keys, ...(isAll ? [] : [''])].map((key) => (key === '' ? '' : new Secret(String(key))))
  return { value: { keys: hex, from }, findings: [] }
}

/** Whether sessions are encrypted when they are written. */
export function isEncrypting({ keys }: Encryption): boolean {
  return keys[0] !== ''
}

/** The key in hex, or the fault, which shows no part of the key. */
function readKey(text: string): string | { readonly wrong: string } {
  if (/\s/.test(text)) return { wrong: 'contains a blank' }
  const isHex = /^([0-9a-f]{2})+$/i.test(text) && !BASE64_LENGTHS.includes(text.length)
  const bytes = isHex ? text.toLowerCase() : toHex(decodeBase64(text))
  if (bytes === undefined) return { wrong: 'is neither base64 nor hex' }
  const length = bytes.length / 2
  if (length !== KEY_BYTES) return { wrong: `has ${length} bytes` }
  const isRandom = new Set(bytes.match(/../g)).size >= LEAST_DIFFERENT
  return isRandom ? bytes : { wrong: 'is not random' }
}

function toHex(bytes: string | undefined): string | undefined {
  if (bytes === undefined) return undefined
  return [...bytes].map((byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('')
}

function findFault(
  keys: readonly (string | { readonly wrong: string })[],
  entries: readonly string[],
): string | undefined {
  for (const [i, key] of keys.entries()) {
    if (typeof key !== 'string') return `key ${i + 1} ${key.wrong}`
    if (keys.indexOf(key) !== i) return `key ${i + 1} repeats key ${keys.indexOf(key) + 1}`
  }
  if (!keys.some((key) => key !== '')) return 'there is no key'
  return entries.includes(ONLY) && entries.includes(PLAIN) ? 'plain and only exclude each other' : undefined
}

function keyFinding(fault: string, from: string): Finding {
  return {
    id: 'encryption.key',
    level: 'error',
    title: `expected keys of ${KEY_BYTES} random bytes, as base64 or hex, with commas between them: ${fault}`,
    from,
    fix: MAKE_KEY,
  }
}
