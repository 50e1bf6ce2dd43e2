import { MANAGED_FILES } from '../../../src/stores/store.ts'

/** Only for a test that hangs. */
export const HANG = { timeout: 60_000 }
export const PEM = `-----BEGIN CERTIFICATE-----\n${`${'A'.repeat(64)}\n`.repeat(60)}-----END CERTIFICATE-----\n`
export const KEY = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'

/** Without PHP_SESSIONS_PREVIOUS. */
export const MANAGED = [MANAGED_FILES.handler, MANAGED_FILES.store, MANAGED_FILES.state]
export const SENTINEL = {
  host: '',
  port: '',
  sentinels: '127.0.0.1:1',
  'master-name': 'm',
  tls: 'true',
  'tls.crt': PEM,
  'tls.key': KEY,
}
