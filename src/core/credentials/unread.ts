import type { Json } from '../binding.ts'
import type { Finding } from '../finding.ts'
import { joinWords } from '../text.ts'
import { FIELD_NAMES } from './field-names.ts'
import type { CredentialField } from './fields.ts'
import { isAbsent, isSwitchedOn } from './values.ts'

/** Words in names that are about TLS, a login, Sentinel or a cluster. */
const MATTERS =
  /tls|ssl|sentinel|cluster|cert|(^|server|root|private)ca($|data|file|path|pem)|acl|user(name)?$/

/** Names with such a word that are facts about the server, or about other clients. */
const IRRELEVANT =
  /^(tlsversions?|tlsciphers?|certificateauthority|cluster|clusterid|clustername|clusterdomain|admin.*|.*(secondary|replica|read).*)$/

/** Names of switches that matter when they are off: php-sessions always verifies. */
const VERIFICATION = /verif|reqs$/

const KNOWN: ReadonlySet<string> = new Set(Object.values(FIELD_NAMES).flat())

/** Whether a field has no known meaning but seems to matter for connecting. */
export function isUnread({ name, value }: CredentialField): boolean {
  const isOff = isAbsent(value) || (!isSwitchedOn(value) && !VERIFICATION.test(name))
  if (KNOWN.has(name) || isOff) return false
  return isPem(value) || (MATTERS.test(name) && !IRRELEVANT.test(name))
}

function isPem(value: Json): boolean {
  return typeof value === 'string' && value.includes('-----BEGIN ')
}

/** Names such fields, so that none is dropped silently. */
export function unreadFields(from: string, fields: readonly CredentialField[]): Finding {
  const names = fields.map((field) => field.from.split(/[ ./]/).at(-1) ?? field.name)
  return {
    id: 'binding.unread',
    level: 'warn',
    title: `not used, because php-sessions does not know what it means: ${joinWords(names, 'and')}`,
    from,
    fix: 'compare php-sessions explain with what the service needs; if it matters, use a known name: tls, cacrt, username, sentinels, master_name, cluster_nodes',
  }
}
