import type { Endpoint } from '../core/endpoint.ts'
import type { Finding } from '../core/finding.ts'
import type { Directive } from '../core/ini.ts'
import { isPhpredisAtLeast } from '../core/php.ts'
import type { Parameters } from '../core/save-path.ts'
import type { PlannedFile, Surroundings } from './store.ts'

/** The file of the service's CA, and that of its CA after those that the system trusts. */
export const CA_FILE = 'php-sessions-ca.pem'
export const CA_BUNDLE_FILE = 'php-sessions-ca-bundle.pem'
export const CLIENT_FILE = 'php-sessions-client.pem'

/** What a private CA and a client certificate need, in each of the two ways that phpredis has to be told. */
export interface RedisTls {
  readonly parameters: Parameters
  readonly directives: readonly Directive[]
  readonly files: readonly PlannedFile[]
  readonly findings: readonly Finding[]
}

const NOTHING: RedisTls = { parameters: {}, directives: [], files: [], findings: [] }

/**
 * Says how PHP is to check the server's certificate and to show its own. The server's name is always verified.
 *
 * phpredis reads `stream[…]` in the path since 6.0, for Redis Cluster since 5.3.2. Before, only PHP's setting for
 * all its TLS remains: a bundle that holds the system's certificates too, so that the rest of the app goes on.
 */
export function redisTls(endpoint: Endpoint, { php, directory }: Surroundings): RedisTls {
  const { tls, ca, clientCertificate, topology } = endpoint
  if (!tls.value) return NOTHING
  const hasStream = topology.value === 'cluster' ? true : isPhpredisAtLeast(php, '6.0')
  const path = (file: string) => `${directory}/${file}`
  const needsPath = ca !== undefined && hasStream !== false
  const needsBundle = ca !== undefined && hasStream !== true
  return {
    parameters: {
      // The word alone makes phpredis speak TLS to the nodes that it finds by itself.
      'stream[verify_peer]': topology.value === 'cluster' || needsPath ? 1 : undefined,
      'stream[cafile]': needsPath ? path(CA_FILE) : undefined,
      'stream[local_cert]':
        clientCertificate !== undefined && hasStream !== false ? path(CLIENT_FILE) : undefined,
    },
    directives: needsBundle
      ? [
          {
            name: 'openssl.cafile',
            value: path(CA_BUNDLE_FILE),
            because: `the CA of the server (${ca.from}) after those that the system trusts: phpredis before 6.0 has no setting of its own, and this one is for all TLS of the app`,
          },
        ]
      : [],
    files: [
      ...(needsPath ? [{ path: path(CA_FILE), text: ca.value, hasSystemCertificates: false }] : []),
      ...(needsBundle ? [{ path: path(CA_BUNDLE_FILE), text: ca.value, hasSystemCertificates: true }] : []),
      ...(clientCertificate === undefined || hasStream === false
        ? []
        : [{ path: path(CLIENT_FILE), text: clientCertificate.value, hasSystemCertificates: false }]),
    ],
    findings:
      clientCertificate === undefined || hasStream !== false
        ? []
        : [
            {
              id: 'redis.client-certificate',
              level: 'error',
              title: `phpredis ${php.phpredis} cannot show the client certificate that the binding has; 6.0 and later can`,
              from: clientCertificate.from,
              fix: 'choose a PHP version that comes with phpredis 6; if the server asks for no certificate, remove it from the credentials',
            },
          ],
  }
}
