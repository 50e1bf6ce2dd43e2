import type { Sourced } from '../core/binding.ts'
import type { Credentials } from '../core/credentials/credentials.ts'
import { readPem } from '../core/pem.ts'
import { Secret } from '../core/secret.ts'

/** The CA certificates of a binding. */
export function readCa(credentials: Credentials): Sourced<string> | undefined {
  const written = credentials.text('ca')
  return written === undefined ? undefined : pemOf(credentials, written, 'CERTIFICATE')
}

/** The certificate of the app and its key, in one PEM text. Either is useless without the other. */
export function readClientCertificate(credentials: Credentials): Sourced<Secret> | undefined {
  const certificate = credentials.text('clientCertificate')
  const key = credentials.text('clientKey')
  const [half, otherHalf] = certificate === undefined ? [key, 'certificate'] : [certificate, 'key']
  if (half === undefined) return undefined
  if (certificate === undefined || key === undefined) {
    credentials.note({
      id: 'binding.certificate',
      level: 'warn',
      title: `the client certificate is not used: its ${otherHalf} is missing`,
      from: half.from,
      fix: `add the ${otherHalf} to the credentials, if the server asks for a client certificate`,
    })
    return undefined
  }
  const pems = [pemOf(credentials, certificate, 'CERTIFICATE'), pemOf(credentials, key, 'PRIVATE KEY')]
  if (pems.some((pem) => pem === undefined)) return undefined
  return { value: new Secret(pems.map((pem) => pem?.value).join('')), from: certificate.from }
}

function pemOf(
  credentials: Credentials,
  written: Sourced<string>,
  label: string,
): Sourced<string> | undefined {
  const value = readPem(written.value)
  if (value?.includes(`${label}-----`) === true) return { value, from: written.from }
  credentials.noteWrong(written, `PEM text with a ${label}, plain or in base64`, 'other text')
  return undefined
}
