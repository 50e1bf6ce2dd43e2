import type { Host } from '../host/host.ts'

/** Present while php-fpm may still run with older settings than the ini file beside it; survives the death of either process. */
const MARK = 'php-sessions.reload'

/** Call this before the ini file is written. */
export function markReload(host: Host, directory: string): void {
  host.writeFile(`${directory}/${MARK}`, '', 0o600)
}

/** Call this once php-fpm has been told. */
export function unmarkReload(host: Host, directory: string): void {
  host.removeFile(`${directory}/${MARK}`)
}

/** Whether php-fpm has not been told yet. */
export function isReloadDue(host: Host, directory: string): boolean {
  return host.readBytes(`${directory}/${MARK}`) !== undefined
}
