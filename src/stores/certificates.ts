import type { Sourced } from '../core/binding.ts'
import type { Credentials } from '../core/credentials/credentials.ts'
import type { Finding } from '../core/finding.ts'
import { readPem } from '../core/formats/pem.ts'
import { Secret } from '../core/secret.ts'

/** The CA certificates of a binding: several while a provider replaces its CA. */
export function readCa(credentials: Credentials): Sourced<string> | undefined {
  const pems = credentials.texts('ca').map((written) => pemOf(credentials, written, 'CERTIFICATE'))
  const [first] = pems
  if (first === undefined) return undefined
  return { value: pems.map((pem) => pem?.value ?? '').join(''), from: first.from }
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
  if (isPath(written.value)) credentials.note(pathInstead(credentials, written))
  else credentials.noteWrong(written, `PEM text with a ${label}, plain or in base64`, 'other text')
  return undefined
}

function isPath(text: string): boolean {
  return /^(file:\/\/)?[./~]?[\w./~-]*\.(pem|crt|cer|key)$|^(file:\/\/)?\/[\w./~ -]+$/.test(text.trim())
}

/**
 * People write the path of a certificate where the text belongs; a variable has a neighbour for that. A path without
 * an extension may be something secret in base64, and is not shown.
 */
function pathInstead({ binding }: Credentials, { value, from }: Sourced<string>): Finding {
  const variable = binding.fieldPrefix.startsWith('environment') ? from.split(' ').at(-1) : undefined
  const path = value.trim().replace(/^file:\/\//, '')
  const shown = /\.[a-z]{3}$/.test(path) && path.length < 200 ? path : undefined
  return {
    id: 'binding.value',
    level: 'error',
    title: `expected PEM text, plain or in base64, got the path of a file${shown === undefined ? '' : `: ${shown}`}`,
    from,
    fix:
      variable === undefined
        ? 'put the text of the file into the credentials, as one string with \\n for its line breaks, or in base64'
        : `set ${variable}_FILE${shown === undefined ? ' to that path' : `=${shown}`} instead: php-sessions reads that file`,
  }
}
