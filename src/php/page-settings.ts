import type { Sourced } from '../core/binding.ts'
import { readIniSetting } from '../core/php-ini.ts'
import { webRootsOf } from '../frameworks/app.ts'
import { type Host, readIfAllowed } from '../host/host.ts'
import { MANAGED_FILES } from '../stores/store.ts'

/** Finds a setting in the app's own `.user.ini` or `.htaccess`: for its pages these win over every ini file. */
export function findInPages(host: Host, appDirectory: string, name: string): Sourced<string> | undefined {
  const inHtaccess = new RegExp(`^\\s*php_value\\s+${name}\\s+"?([^"\\r\\n]*?)"?\\s*$`, 'm')
  const found = webRootsOf(appDirectory).flatMap((root) => {
    const [ini, htaccess] = [`${root}/.user.ini`, `${root}/.htaccess`]
    return [
      { from: ini, value: readIniSetting(readIfAllowed(host, ini) ?? '', name) },
      { from: htaccess, value: inHtaccess.exec(readIfAllowed(host, htaccess) ?? '')?.[1] },
    ]
  })
  return found.find((one): one is Sourced<string> => one.value !== undefined)
}

/** Whether a prepended file is the managed handler, or includes it. */
export function runsManaged(host: Host, prependFile: string): boolean {
  const { handler } = MANAGED_FILES
  return (
    prependFile.endsWith(`/${handler}`) ||
    (prependFile.startsWith('/') && readIfAllowed(host, prependFile)?.includes(handler) === true)
  )
}
