import type { Finding } from '../../core/finding.ts'
import { type Host, readIfAllowed } from '../../host/host.ts'
import { isOfOurUser, ourUser, parentOf, pidsOf } from '../../php/web/php-fpm.ts'
import { userNamed } from './accounts.ts'
import { nameOf } from './started.ts'

/** The facts in a process' `status`. */
interface Process {
  readonly pid: number
  readonly name: string
  readonly uid: number
  readonly groups: readonly number[]
}

/** What PHP reads, and who can read it. */
export interface Served {
  readonly directory: string
  /** The group that reads the ini; undefined where only our user does. */
  readonly group: number | undefined
}

const SERVES_PHP = /^(php(?!-sessions)|apache2|httpd|frankenphp|lsphp)/

/**
 * Finds the processes below exec that run PHP without its settings, each once in `seen`: another user cannot read the
 * ini, or something has taken PHP_INI_SCAN_DIR away. PHP then silently keeps sessions in local files.
 */
export function findUnserved(host: Host, served: Served, seen: Set<string>): readonly Finding[] {
  const ours = Number(nameOf(host.realPath('/proc/self') ?? ''))
  const processes = new Map(pidsOf(host).map((pid) => [pid, readProcess(host, pid)]))
  return [...processes.values()].flatMap((process) => {
    if (process === undefined || !SERVES_PHP.test(process.name)) return []
    const { pid, name, uid } = process
    const above = ancestorsOf(host, pid, ours)
    if (above === undefined) return []
    // A server has read the ini before it starts its workers, and programs of the workers are their own matter. The
    // watcher asks PHP itself.
    if (above.some((one) => SERVES_PHP.test(processes.get(one)?.name ?? '') || isOurs(host, one))) return []
    const why = whyUnserved(host, served, process)
    if (why === undefined || seen.has(`${name} ${uid}`)) return []
    seen.add(`${name} ${uid}`)
    return [why]
  })
}

function whyUnserved(host: Host, { directory, group }: Served, process: Process): Finding | undefined {
  const { pid, name, uid, groups } = process
  const from = `process ${pid}, ${name}`
  if (uid !== 0 && uid !== ourUser(host) && (group === undefined || !groups.includes(group)))
    return {
      id: 'exec.user',
      level: 'warn',
      title: `${name} runs as ${userNamed(host, uid)}, who cannot read the settings: its sessions are in local files`,
      from,
      fix: 'put php-sessions exec -- behind the program that changes the user, directly before PHP',
    }
  // Reading the memory of another user's process might never end.
  const environment = isOfOurUser(host, pid) ? readIfAllowed(host, `/proc/${pid}/environ`) : undefined
  if (environment === undefined || environment.includes(directory)) return undefined
  // php-fpm writes its title over the environment that it was given.
  if (name.startsWith('php-fpm') && !environment.includes('PATH=')) return undefined
  return {
    id: 'exec.environment',
    level: 'warn',
    title: `${name} was started without PHP_INI_SCAN_DIR: its sessions are in local files`,
    from,
    fix: 'start it with the environment that php-sessions exec gives to its command',
  }
}

/** The processes between one and exec; undefined if exec has not started it. */
function ancestorsOf(host: Host, pid: number, ours: number): readonly number[] | undefined {
  const parent = parentOf(host, pid)
  if (parent === ours) return []
  const above = parent > 1 ? ancestorsOf(host, parent, ours) : undefined
  return above === undefined ? undefined : [parent, ...above]
}

function isOurs(host: Host, pid: number): boolean {
  return (
    isOfOurUser(host, pid) && readIfAllowed(host, `/proc/${pid}/cmdline`)?.includes('php-sessions') === true
  )
}

function readProcess(host: Host, pid: number): Process | undefined {
  const status = readIfAllowed(host, `/proc/${pid}/status`)
  if (status === undefined) return undefined
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1]?.split(/\s+/) ?? []
  const groups = [...field('Gid'), ...field('Groups')].filter((word) => word !== '').map(Number)
  return { pid, name: field('Name').join(' '), uid: Number(field('Uid')[1] ?? 0), groups }
}
