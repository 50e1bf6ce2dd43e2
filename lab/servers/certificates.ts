import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeScratch, removeScratch } from '../processes/scratch.ts'
import { words } from '../processes/words.ts'

/** Paths of PEM files. */
export interface Certificates {
  readonly ca: string
  readonly certificate: string
  readonly key: string
  remove(): void
}

/** A private CA that signs whatever certificate a test needs. */
export interface CertificateAuthority {
  /** A certificate for a server, or for a node that is server and client at once, valid for a day. */
  server(names?: readonly string[]): Certificates
  /** A certificate for this machine that was valid for one day, years ago. */
  expired(): Certificates
  /** A valid certificate for this machine, with the CA's own certificate, which was valid for one day, years ago. */
  withExpiredCa(): Certificates
  /** A certificate for this machine that an intermediate CA has signed; `sendsChain`: its file has that one's, too. */
  viaIntermediate(sendsChain: boolean): Certificates
  /** A certificate for a client, which no server may use. */
  client(): Certificates
  /** Removes the CA and all certificates that it has signed, as `remove` of any of these does. */
  remove(): void
}

const HERE = ['DNS:localhost', 'IP:127.0.0.1']
const EC_KEY = words('-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes')
const LONG_AGO = words('-startdate 20200101000000Z -enddate 20200102000000Z')

const IS_CA = 'basicConstraints = critical, CA:TRUE\n'

/** For `openssl ca`: `openssl x509` cannot sign for days in the past before version 3.4. */
const CA_CONF = `
[ca]
default_ca = lab
[lab]
database = index
rand_serial = yes
new_certs_dir = .
unique_subject = no
default_md = sha256
default_days = 1
policy = anybody
[anybody]
commonName = supplied
`

/** Makes a private CA and a server certificate that it has signed, valid for a day; `names` in openssl's notation. */
export function makeCertificates(names?: readonly string[]): Certificates {
  return makeAuthority().server(names)
}

/** Makes a private CA, in a directory that is removed when Node ends. */
export function makeAuthority(): CertificateAuthority {
  const directory = makeScratch('certificates')
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' })
  const remove = () => removeScratch(directory)
  let signed = 0
  const signBy = (ca: string, extension: string, subject = 'lab', ...dates: string[]): Certificates => {
    const name = String(++signed)
    writeFileSync(join(directory, `${name}.cnf`), `${extension}\n`)
    openssl('req', '-new', ...EC_KEY, ...words(`-subj /CN=${subject} -keyout ${name}.key -out ${name}.csr`))
    const files = words(`-extfile ${name}.cnf -in ${name}.csr -out ${name}.pem`)
    openssl(
      ...words(`ca -batch -notext -config ca.cnf -cert ${ca}.pem -keyfile ${ca}.key`),
      ...dates,
      ...files,
    )
    const file = (ending: string) => join(directory, name + ending)
    return { ca: join(directory, 'ca.pem'), certificate: file('.pem'), key: file('.key'), remove }
  }
  const named = (names: readonly string[]) => `subjectAltName = ${names.join(', ')}`
  const sign = (extension: string, ...dates: string[]) => signBy('ca', extension, 'lab', ...dates)
  const withExpiredCa = () => {
    const made = sign(named(HERE))
    openssl(...words('req -new -key ca.key -out old.csr'), '-subj', '/CN=Lab CA')
    writeFileSync(join(directory, 'old.cnf'), IS_CA)
    const files = words('-extfile old.cnf -in old.csr -out old.pem')
    openssl(...words('ca -batch -notext -selfsign -config ca.cnf -keyfile ca.key'), ...LONG_AGO, ...files)
    return { ...made, ca: join(directory, 'old.pem') }
  }
  const viaIntermediate = (sendsChain: boolean) => {
    const { certificate } = signBy('ca', IS_CA, 'LabIntermediate')
    const made = signBy(String(signed), named(HERE))
    const chain = readFileSync(made.certificate, 'utf8') + readFileSync(certificate, 'utf8')
    if (sendsChain) writeFileSync(made.certificate, chain)
    return made
  }
  writeFileSync(join(directory, 'ca.cnf'), CA_CONF)
  writeFileSync(join(directory, 'index'), '')
  openssl('req', '-x509', ...EC_KEY, '-subj', '/CN=Lab CA', ...words('-days 1 -keyout ca.key -out ca.pem'))
  return {
    server: (names = HERE) => sign(named(names)),
    expired: () => sign(named(HERE), ...LONG_AGO),
    withExpiredCa,
    viaIntermediate,
    client: () => sign('extendedKeyUsage = clientAuth'),
    remove,
  }
}
