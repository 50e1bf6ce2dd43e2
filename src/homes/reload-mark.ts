import type { Host } from '../host/host.ts'

/**
 * Present while php-fpm may still run with older settings than the ini file next to it; survives the death of either
 * process.
 */
const MARK = 'php-sessions.reload'

/** Call this before the ini file is written. Each mark is different. */
export function markReload(host: Host, directory: string): void {
  host.writeFile(`${directory}/${MARK}`, host.uniqueWord(), 0o600)
}

/** Call this once php-fpm has been told. */
export function unmarkReload(host: Host, directory: string): void {
  host.removeFile(`${directory}/${MARK}`)
}

/** The mark, if php-fpm has not been told yet. */
export function readReloadMark(host: Host, directory: string): string | undefined {
  return host.readBytes(`${directory}/${MARK}`)
}
