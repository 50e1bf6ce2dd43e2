import type { Host } from '../../host/host.ts'

/** A group: its number, if it exists, and its name for people. */
export interface Group {
  readonly gid: number | undefined
  readonly name: string
}

/** The group with this name or number. */
export function groupNamed(host: Host, name: string): Group {
  return { gid: isNumber(name) ? Number(name) : numberIn(entryOf(host, '/etc/group', 0, name)?.[2]), name }
}

/** The primary group of a user, by name or number. */
export function groupOfUser(host: Host, user: string): Group {
  return { gid: numberIn(passwdEntry(host, user)?.[3]), name: `the group of ${user}` }
}

/** The number of a user; undefined if there is none of that name. */
export function uidOf(host: Host, user: string): number | undefined {
  return isNumber(user) ? Number(user) : numberIn(passwdEntry(host, user)?.[2])
}

/** A user for people: the name if there is one, else the number. */
export function userNamed(host: Host, uid: number): string {
  return passwdEntry(host, String(uid))?.[0] ?? `user ${uid}`
}

function passwdEntry(host: Host, user: string): readonly string[] | undefined {
  return entryOf(host, '/etc/passwd', isNumber(user) ? 2 : 0, user)
}

/** The fields of the line that has this value in this field. */
function entryOf(host: Host, file: string, field: number, value: string): readonly string[] | undefined {
  const lines = (host.readBytes(file) ?? '').split('\n').map((line) => line.split(':'))
  return lines.find((fields) => fields[field] === value)
}

function isNumber(text: string): boolean {
  return /^[0-9]+$/.test(text)
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined || !isNumber(text) ? undefined : Number(text)
}
