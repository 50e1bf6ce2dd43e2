import { readPem } from '../core/formats/pem.ts'
import { revealIfSecret, Secret } from '../core/secret.ts'
import type { Host } from '../host/host.ts'
import type { PlannedFile } from '../stores/store.ts'

/** Where Debian, Red Hat, Alpine and SUSE keep the certificates that they trust. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
  '/etc/ssl/ca-bundle.pem',
]

/**
 * Writes the files that the directives refer to. They belong to our user, since root may run what is in them. Only the
 * `group`, or else our own user, can read one that holds a secret.
 */
export function writeFiles(host: Host, files: readonly PlannedFile[], group?: number): void {
  const [secret, shared] = group === undefined ? [0o600, 0o600] : [0o640, 0o660]
  for (const { path, text, hasSystemCertificates, isShared } of files) {
    const own = revealIfSecret(text)
    const before = hasSystemCertificates ? readSystemCertificates(host) : ''
    if (text instanceof Secret) host.writeFile(path, before + own, isShared ? shared : secret, group)
    else host.writeFile(path, before + own, 0o644)
  }
}

/** OpenSSL's default: the file in SSL_CERT_FILE, else the distribution's bundle. */
function readSystemCertificates(host: Host): string {
  const paths = [host.env.SSL_CERT_FILE, ...SYSTEM_BUNDLES]
  for (const path of paths) {
    const text = path === undefined ? undefined : host.readBytes(path)
    const certificates = text === undefined ? undefined : readPem(text)
    if (certificates !== undefined) return certificates
  }
  return ''
}
