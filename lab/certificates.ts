import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeScratch, removeScratch } from './scratch.ts'

/** Paths of PEM files. */
export interface Certificates {
  readonly ca: string
  readonly certificate: string
  readonly key: string
  remove(): void
}

const HERE = ['DNS:localhost', 'IP:127.0.0.1']
const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** Makes a private CA and a server certificate signed by it, good for a day; `names` as openssl writes them. */
export function makeCertificates(names: readonly string[] = HERE): Certificates {
  const directory = makeScratch('certificates')
  const file = (name: string) => join(directory, name)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' })
  openssl(
    ...['req', '-x509', ...EC_KEY, '-days', '1', '-subj', '/CN=Lab CA'],
    ...['-keyout', file('ca.key'), '-out', file('ca.pem')],
  )
  openssl(
    ...['req', '-new', ...EC_KEY, '-subj', '/CN=lab'],
    ...['-keyout', file('server.key'), '-out', file('server.csr')],
  )
  writeFileSync(file('names.cnf'), `subjectAltName = ${names.join(', ')}\n`)
  openssl(
    ...['x509', '-req', '-in', file('server.csr'), '-days', '1', '-extfile', file('names.cnf')],
    ...['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-out', file('server.pem')],
  )
  return {
    ca: file('ca.pem'),
    certificate: file('server.pem'),
    key: file('server.key'),
    remove: () => removeScratch(directory),
  }
}
