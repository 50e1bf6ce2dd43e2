import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const CACHE = join(import.meta.dirname, '../../../../.cache')
const FOLDER = join(CACHE, 'extension-tests')

/** Where the own tests of an extension are, such as `php-redis-6`, or why they are not there. */
export function unpackedExtensionTests(name: string): string | { readonly unavailable: string } {
  const folder = join(FOLDER, name)
  if (existsSync(folder)) return folder
  const reason = `${FOLDER}.reason`
  return {
    unavailable: existsSync(reason)
      ? readFileSync(reason, 'utf8').trim()
      : 'scripts/extension-tests has not run',
  }
}
