import type { Service } from '../../../lab/bindings.ts'
import { configure } from './configured.ts'
import type { PhpUnderTest } from './php.ts'

/** Makes the ini text of a start with PHP_SESSIONS_HANDLER=managed, for this service, with these further variables. */
export function configureManaged(
  underTest: PhpUnderTest,
  service: Service,
  env: Readonly<Record<string, string>> = {},
): string {
  return configure(underTest, service, { PHP_SESSIONS_HANDLER: 'managed', ...env }).ini
}

/** For code on the command line, for which PHP does not run `auto_prepend_file`. */
export const PREPEND = `require ini_get('auto_prepend_file');`
