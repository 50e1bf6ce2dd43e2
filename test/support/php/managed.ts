import type { Service } from '../../../lab/bindings.ts'
import { configure } from './configured.ts'
import type { PhpUnderTest } from './php.ts'

/** The ini of a start with PHP_SESSIONS_HANDLER=managed, for this service and with these further settings. */
export function configureManaged(
  underTest: PhpUnderTest,
  service: Service,
  env: Readonly<Record<string, string>> = {},
): string {
  return configure(underTest, service, { PHP_SESSIONS_HANDLER: 'managed', ...env }).ini
}

/** PHP on the command line runs `auto_prepend_file` for files only, not for code. */
export const PREPEND = `require ini_get('auto_prepend_file');`
