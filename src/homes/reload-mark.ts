import type { Host } from '../host/host.ts'

/** There while php-fpm may run by older settings than those in the ini file beside it, whoever dies meanwhile. */
const MARK = 'php-sessions.reload'

/** To be called before the ini file is written. */
export function markReload(host: Host, directory: string): void {
  host.writeFile(`${directory}/${MARK}`, '', 0o600)
}

/** To be called when php-fpm has been told. */
export function unmarkReload(host: Host, directory: string): void {
  host.removeFile(`${directory}/${MARK}`)
}

/** Whether php-fpm has yet to be told. */
export function isReloadDue(host: Host, directory: string): boolean {
  return host.readBytes(`${directory}/${MARK}`) !== undefined
}
