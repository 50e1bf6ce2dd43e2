import { randomBytes } from 'node:crypto'

/** A password as brokers make them: letters and digits, which php_buildpack can write without quotes, too. */
export function makePassword(): string {
  return randomBytes(16).toString('hex')
}
