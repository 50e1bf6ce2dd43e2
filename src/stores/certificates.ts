import type { Sourced } from '../core/binding.ts'
import type { Credentials } from '../core/credentials/credentials.ts'
import { readPem } from '../core/pem.ts'
import { Secret } from '../core/secret.ts'

/** The CA certificates that came with a binding. */
export function readCa(credentials: Credentials): Sourced<string> | undefined {
  const written = credentials.text('ca')
  return written === undefined ? undefined : pemOf(credentials, written, 'CERTIFICATE')
}

/** The certificate and the key with which the app shows who it is, in one PEM text; one is no use without the other. */
export function readClientCertificate(credentials: Credentials): Sourced<Secret> | undefined {
  const certificate = credentials.text('clientCertificate')
  const key = credentials.text('clientKey')
  const [there, missing] = certificate === undefined ? [key, 'certificate'] : [certificate, 'key']
  if (there === undefined) return undefined
  if (certificate === undefined || key === undefined) {
    credentials.note({
      id: 'binding.certificate',
      level: 'warn',
      title: `half of a client certificate is not used: its ${missing} is missing`,
      from: there.from,
      fix: `add the ${missing} to the credentials, if the server asks for a client certificate`,
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
  credentials.wrong(written, `PEM text with a ${label}, as it is or in base64`, 'a text that is none')
  return undefined
}
