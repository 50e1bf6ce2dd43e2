import type { Finding } from '../core/finding.ts'
import { Secret } from '../core/secret.ts'
import type { Host } from '../host/host.ts'
import { attempt } from './unreadable.ts'

const FILE = /^\s*file:\s*(.*?)\s*$/
/** A key has 64 characters at most. */
const LONGEST = 4096

/** Replaces `file:PATH` in a list of keys by the text of the file. */
export function readKeyFiles(
  host: Host,
  keys: Secret | undefined,
): { readonly value: Secret | undefined; readonly findings: readonly Finding[] } {
  if (keys === undefined) return { value: undefined, findings: [] }
  const findings: Finding[] = []
  const texts = keys
    .reveal()
    .split(',')
    .map((entry) => {
      const path = FILE.exec(entry)?.[1]
      if (path === undefined) return entry
      const read = path.startsWith('/') ? attempt(host.readFile, path) : { value: undefined }
      const why = read.why ?? faultOf(read.value, path)
      if (why !== undefined) findings.push(fileFinding(why, path))
      return read.why === undefined ? (read.value ?? '') : ''
    })
  return { value: new Secret(texts.join(',')), findings }
}

function faultOf(text: string | undefined, path: string): string | undefined {
  if (!path.startsWith('/')) return `the path of the key's file is not absolute: ${path}`
  if (text === undefined) return `cannot read ${path}: no such file or directory`
  if (text.length > LONGEST) return `${path} is too large for a list of keys`
  return text.trim() === '' ? `${path} is empty` : undefined
}

function fileFinding(title: string, path: string): Finding {
  return {
    id: 'encryption.file',
    level: 'error',
    title,
    from: 'PHP_SESSIONS_ENCRYPTION_KEY',
    fix: `let the user that runs php-sessions read ${path}, a regular file with keys as base64 or hex`,
  }
}
