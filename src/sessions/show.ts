import { oneLine, renderJson } from '../core/text.ts'
import type { Host } from '../host/host.ts'
import compression from '../stores/redis/handler/compression.php'
import { amount, duration } from './count-text.ts'
import { othersFile } from './local-files.ts'
import { askSessions, isFinding } from './program.ts'
import { DECODE } from './programs/decode/index.ts'
import show from './programs/show.php'
import { type Flags, withSessions } from './work.ts'

/** A value in a session; the value itself only with --values. */
export interface Described {
  readonly name: string
  readonly type: string
  /** The bytes of a string, the items of an array or object. */
  readonly size?: number
  readonly class?: string
  readonly value?: string | number | boolean
  readonly items?: readonly Described[]
}

interface Shown {
  readonly isThere: true
  readonly bytes: number
  readonly plainBytes: number
  readonly seconds: number | null
  readonly format: string | null
  readonly variables: readonly Described[]
}

/** Shows what is in a session. */
export function showSession(host: Host, id: string, flags: Flags): number {
  const shown = withSessions<Shown>(host, flags, (sessions, log) => {
    const question = { id, values: flags.values !== undefined }
    const answer = askSessions(
      sessions,
      { name: 'show', files: [compression, ...DECODE, show] },
      question,
      log,
    )
    if (isFinding(answer)) return answer
    if (answer.isThere === true) return answer as unknown as Shown
    const others = othersFile(host, answer)
    if (others !== undefined) return others
    return {
      id: 'sessions.none',
      level: 'error',
      title: 'there is no session with this id: it ended or never existed',
      from: 'the id on the command line',
      fix: "take the value of the visitor's session cookie",
    }
  })
  if (shown === undefined) return 1
  const { bytes, plainBytes, seconds, format, variables } = shown
  const json = { bytes, plainBytes, seconds, format, variables }
  host.out(flags.json === undefined ? renderShown(shown) : renderJson({ version: 1, ...json }))
  return 0
}

function renderShown({ bytes, plainBytes, seconds, format, variables }: Shown): string {
  const size =
    bytes === plainBytes ? amount(bytes) : `${amount(bytes)} bytes, uncompressed ${amount(plainBytes)}`
  const life = seconds === null ? 'never expires' : `expires in ${duration(seconds)}`
  const what = format === null ? 'in a format that PHP does not write' : `in the format ${format}`
  const head = `${size} bytes ${what}, ${life}\n`
  const width = Math.min(30, Math.max(0, ...variables.map(({ name }) => name.length)))
  return head + renderItems(variables, '  ', width)
}

function renderItems(items: readonly Described[], indent: string, width: number): string {
  return items
    .map((item) => {
      const line = `${indent}${oneLine(item.name).padEnd(width)}  ${describeValue(item)}`
      return `${line.trimEnd()}\n${renderItems(item.items ?? [], `${indent}  `, Math.max(0, width - 2))}`
    })
    .join('')
}

function describeValue({ type, size, class: name, value, items }: Described): string {
  const kind = name === undefined ? type : `${type} ${oneLine(name)}`
  const part = items !== undefined && items.length < (size ?? 0) ? `, ${items.length} of them shown` : ''
  const count =
    size === undefined ? '' : items === undefined ? `, ${amount(size)} bytes` : ` of ${amount(size)}`
  const shown =
    value === undefined ? '' : `  ${oneLine(type === 'string' ? JSON.stringify(value) : String(value))}`
  return `${kind}${count}${part}${shown}`
}
