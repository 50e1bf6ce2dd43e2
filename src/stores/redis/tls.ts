import { type Address, formatAddress, isIpv6 } from '../../core/address.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import type { Finding } from '../../core/finding.ts'
import type { Directive } from '../../core/formats/ini.ts'
import { isPhpredisAtLeast } from '../../core/php.ts'
import { type PlannedFile, plainFile, type Surroundings } from '../store.ts'
import type { Parameters } from './save-path.ts'

/** The CA of the service; that CA after those that the system trusts; the app's certificate with its key. */
const FILES = {
  ca: 'php-sessions-ca.pem',
  bundle: 'php-sessions-ca-bundle.pem',
  client: 'php-sessions-client.pem',
} as const

/** What TLS needs beside the scheme: parameters of the save_path, or PHP's own settings. */
export interface RedisTls {
  readonly parameters: Parameters
  readonly directives: readonly Directive[]
  readonly files: readonly PlannedFile[]
  readonly findings: readonly Finding[]
}

/**
 * Tells PHP how to check the server's certificate and which certificate to present. It always verifies the name.
 *
 * phpredis reads `stream[…]` in the path since 6.0, for Redis Cluster since 5.3.2. Before that, only PHP's setting for
 * all TLS connections remains: a bundle that has the system's certificates too, so that the rest of the app works.
 */
export function redisTls(
  endpoint: Endpoint,
  server: Address | undefined,
  surroundings: Surroundings,
): RedisTls {
  const { tls, ca, topology } = endpoint
  if (!tls.value) return { parameters: {}, directives: [], files: [], findings: [] }
  const isCluster = topology.value === 'cluster'
  const hasStream = isCluster ? true : isPhpredisAtLeast(surroundings.php, '6.0')
  const files = certificateFiles(endpoint, surroundings.directory)
  const bundle = `${surroundings.directory}/${FILES.bundle}`
  const needsStream = hasStream !== false
  const needsBundle = hasStream !== true && ca !== undefined
  return {
    parameters: needsStream
      ? {
          // This parameter makes phpredis speak TLS to the cluster nodes that it finds by itself.
          'stream[verify_peer]': isCluster || ca !== undefined ? 1 : undefined,
          'stream[cafile]': files.ca?.path,
          'stream[local_cert]': files.client?.path,
          // STREAM_CRYPTO_METHOD_TLSv1_2_CLIENT
          'stream[crypto_method]': surroundings.php.hangsInTls13 ? 33 : undefined,
          // Otherwise PHP would look for the address with brackets in the certificate.
          'stream[peer_name]': server !== undefined && isIpv6(server) ? server.host : undefined,
        }
      : {},
    directives: needsBundle
      ? [
          {
            name: 'openssl.cafile',
            value: bundle,
            because: `the CAs that the system trusts and the CA of the server (${ca.from}): phpredis before 6.0 has no setting of its own, and this one applies to all TLS connections of the app`,
          },
        ]
      : [],
    files: [
      ...(needsStream && files.ca !== undefined ? [files.ca] : []),
      ...(needsBundle ? [{ ...plainFile(bundle, ca.value), hasSystemCertificates: true }] : []),
      ...(needsStream && files.client !== undefined ? [files.client] : []),
    ],
    findings: needsStream ? [] : missingInPhpredis5(endpoint, server, surroundings),
  }
}

/** The certificates of a binding, as files beside the ini. */
export function certificateFiles({ ca, clientCertificate }: Endpoint, directory: string, before = '') {
  const file = (name: keyof typeof FILES, text: PlannedFile['text'] | undefined) =>
    text === undefined ? undefined : plainFile(`${directory}/${before}${FILES[name]}`, text)
  return { ca: file('ca', ca?.value), client: file('client', clientCertificate?.value) }
}

function missingInPhpredis5(
  { clientCertificate, servers, tls }: Endpoint,
  server: Address | undefined,
  { php }: Surroundings,
): readonly Finding[] {
  const upgrade = 'choose a PHP version that comes with phpredis 6'
  const certificate: Finding = {
    id: 'redis.client-certificate',
    level: 'error',
    title: `phpredis ${php.phpredis} cannot present the client certificate of the binding; 6.0 and later can`,
    from: clientCertificate?.from ?? '',
    fix: `${upgrade}; if the server does not ask for a certificate, remove it from the credentials`,
  }
  const address: Finding = {
    id: 'redis.ipv6-tls',
    level: 'error',
    title: `phpredis ${php.phpredis} cannot verify the certificate of a server that is bound by its IPv6 address, ${server === undefined ? '' : formatAddress(server)}; 6.0 and later can`,
    from: servers[0]?.from ?? '',
    fix: `${upgrade}, or bind the server by name`,
  }
  const hang: Finding = {
    id: 'redis.tls13',
    level: 'warn',
    title: `this PHP can wait forever on a new TLS 1.3 connection (php-src GH-10495), and phpredis ${php.phpredis} cannot be told to use TLS 1.2`,
    from: tls.from,
    fix: 'set PHP_SESSIONS_HANDLER=managed, choose PHP 8.2.19, 8.3.7 or later, or configure the server for TLS 1.2 only',
  }
  return [
    ...(php.hangsInTls13 ? [hang] : []),
    ...(clientCertificate === undefined ? [] : [certificate]),
    ...(server !== undefined && isIpv6(server) ? [address] : []),
  ]
}
