import { type Host, HostError, readIfAllowed } from '../../host/host.ts'
import { isOfOurUser, ourUser, parentOf, pidsOf, startOf } from '../../php/web/php-fpm.ts'
import { MANAGED_FILES } from '../../stores/store.ts'

/**
 * A file in a launch's directory that names the launching process, which becomes the app's. Later launches add their
 * own.
 */
const LAUNCHER = 'launcher'

/** Says which process a directory is for, until the launcher has given its path to the app's process. */
export function claim(host: Host, directory: string, name = LAUNCHER): void {
  const pid = parentOf(host, 'self')
  host.writeFile(`${directory}/${name}`, `${pid} ${startOf(host, pid)}`, 0o600)
}

/**
 * Returns the directory of an earlier launch in this container with the same content, and removes this launch's;
 * otherwise this launch's. So a command beside the app, such as the doctor, leaves nothing behind.
 */
export function reuseEarlier(host: Host, earlier: readonly string[], directory: string): string {
  const same = earlier.find((path) => saysTheSame(host, path, directory) && tryToClaim(host, path))
  // A launch that ran at the same time may have removed it before it was claimed.
  if (same === undefined || !saysTheSame(host, same, directory)) return directory
  host.removeDirectory(directory)
  return same
}

function tryToClaim(host: Host, directory: string): boolean {
  try {
    claim(host, directory, `${LAUNCHER}-${parentOf(host, 'self')}`)
    return true
  } catch (error) {
    if (error instanceof HostError) return false
    throw error
  }
}

/** Whether all files are the same except for paths in them. Files that workers write are ignored. */
function saysTheSame(host: Host, earlier: string, directory: string, below = ''): boolean {
  const names = host.listDirectory(directory + below).filter((name) => name !== LAUNCHER)
  return names.every((name) => {
    const path = `${below}/${name}`
    if (host.isDirectory(directory + path)) return saysTheSame(host, earlier, directory, path)
    const before = readIfAllowed(host, earlier + path)
    const now = host.readBytes(directory + path)?.replaceAll(directory, earlier)
    return name === MANAGED_FILES.state ? before !== undefined : before === now
  })
}

/**
 * Removes the directories, with their passwords, of earlier launches in this container that no process uses.
 * Returns the others.
 *
 * Somebody else may have planted a similar directory, so only those count that belong to our own user and that
 * nobody else can enter. If other containers may share the directory for temporary files, their processes are
 * invisible, so nothing is removed.
 */
export function removeUnused(host: Host, temporary: string): readonly string[] {
  const root = host.statusOf('/')
  const shared = host.statusOf(host.realPath(temporary) ?? temporary)
  if (root === undefined || root.device !== shared?.device) return []
  const directories = host
    .listDirectory(temporary)
    .filter((name) => /^php-sessions-[0-9]+-[a-z0-9]+$/.test(name))
    .map((name) => `${temporary}/${name}`)
    .filter((path) => isOurOwn(host, path))
  const environments = directories.length === 0 ? undefined : readEnvironments(host)
  if (environments === undefined) return directories
  const isUsed = (path: string) =>
    isBeingLaunched(host, path) || environments.some((text) => text.includes(path))
  for (const path of directories) if (!isUsed(path)) host.removeDirectory(path)
  return directories.filter(isUsed)
}

function isOurOwn(host: Host, path: string): boolean {
  const status = host.statusOf(path)
  return (
    status?.isDirectory === true &&
    status.uid === ourUser(host) &&
    (status.mode & 0o077) === 0 &&
    host.statusOf(`${path}/${LAUNCHER}`)?.isFile === true
  )
}

function isBeingLaunched(host: Host, path: string): boolean {
  const claims = host.listDirectory(path).filter((name) => name.startsWith(LAUNCHER))
  return claims.some((name) => {
    const [pid, startedAt] = (host.readBytes(`${path}/${name}`) ?? '').split(' ')
    return startOf(host, Number(pid)) === startedAt
  })
}

/** The environments of all processes of our user; undefined where one cannot be read, since it may use any directory. */
function readEnvironments(host: Host): readonly string[] | undefined {
  const read = pidsOf(host)
    .filter((pid) => isOfOurUser(host, pid))
    .map((pid) => readIfAllowed(host, `/proc/${pid}/environ`))
  return read.every((text) => text !== undefined) ? read : undefined
}
