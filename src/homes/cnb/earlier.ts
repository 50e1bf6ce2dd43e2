import { type Host, readIfAllowed } from '../../host/host.ts'
import { isOfOurUser, ourUser, parentOf, pidsOf, startOf } from '../../php/php-fpm.ts'

/** In a launch's directory: the process that launches, which becomes the app's. */
const LAUNCHER = 'launcher'

/** Says for whom a directory is, until the launcher has given its path to the app's process. */
export function claim(host: Host, directory: string): void {
  const pid = parentOf(host, 'self')
  host.writeFile(`${directory}/${LAUNCHER}`, `${pid} ${startOf(host, pid)}`, 0o600)
}

/**
 * Removes the directories, with passwords in them, of earlier launches in this container that no process uses.
 *
 * Somebody else may have planted what looks like one, so only directories of our own user that nobody else can enter
 * count. Where other containers may share the directory for temporary files, their processes are not to be seen:
 * nothing is removed there.
 */
export function removeUnused(host: Host, temporary: string): void {
  const root = host.statusOf('/')
  const shared = host.statusOf(host.realPath(temporary) ?? temporary)
  if (root === undefined || root.device !== shared?.device) return
  const directories = host
    .listDirectory(temporary)
    .filter((name) => /^php-sessions-[0-9]+-[a-z0-9]+$/.test(name))
    .map((name) => `${temporary}/${name}`)
    .filter((path) => isOurOwn(host, path))
  const environments = directories.length === 0 ? undefined : readEnvironments(host)
  if (environments === undefined) return
  for (const path of directories)
    if (!isBeingLaunched(host, path) && !environments.some((text) => text.includes(path)))
      host.removeDirectory(path)
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
  const [pid, startedAt] = (host.readBytes(`${path}/${LAUNCHER}`) ?? '').split(' ')
  return startOf(host, Number(pid)) === startedAt
}

/** The environments of all processes of our user; undefined where one cannot be read, since it may use any directory. */
function readEnvironments(host: Host): readonly string[] | undefined {
  const read = pidsOf(host)
    .filter((pid) => isOfOurUser(host, pid))
    .map((pid) => readIfAllowed(host, `/proc/${pid}/environ`))
  return read.every((text) => text !== undefined) ? read : undefined
}
