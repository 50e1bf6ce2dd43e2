import type { Finding } from '../../../core/finding.ts'
import type { ServerState } from '../../../php/answers.ts'
import type { PlannedStore } from '../../../plan/plan.ts'
import type { Check } from '../../check.ts'
import { serverName } from '../../server-name.ts'
import { checkServers, type Reached } from './network.ts'

/** What is wrong where a server answers, but not with the TLS that the binding asks for. */
const TLS_TROUBLE: Partial<
  Record<ServerState, (reached: Reached, planned: PlannedStore, said: string) => Omit<Finding, 'level'>>
> = {
  'tls-ca': ({ server, answer }, { endpoint: { ca, tls } }) =>
    typeof answer.caEnded === 'string'
      ? {
          id: 'tls.ca-expired',
          title: `the CA certificate in the credentials was valid only until ${answer.caEnded}`,
          from: ca?.from ?? tls.from,
          fix: 'replace it with the present certificate of the CA: bind the service again, or ask its operator',
        }
      : {
          id: 'tls.ca',
          title: `the certificate of ${serverName(server)} is signed by ${answer.certificate?.issuer || 'an unnamed CA'}, which PHP does not trust`,
          from: ca?.from ?? tls.from,
          fix:
            ca === undefined
              ? "put the CA's certificate into the credentials as ca, or add it to the file that SSL_CERT_FILE names"
              : `replace this CA certificate with that of the CA that signed the certificate of the server; if ${answer.certificate?.issuer || 'that CA'} is only an intermediate, have the server send its certificate, too`,
        },
  'tls-name': ({ server, answer }) => ({
    id: 'tls.name',
    title: `the certificate is for ${answer.certificate?.names}, not ${server.value.host}`,
    from: server.from,
    fix: `put one of these names into the credentials as host, or give the server a certificate for ${server.value.host}`,
  }),
  'tls-expired': ({ server, answer }) => ({
    id: 'tls.expired',
    title: `the certificate of ${serverName(server)} is valid only from ${answer.certificate?.from} to ${answer.certificate?.to}`,
    from: server.from,
    fix: 'renew the certificate of the server; if the dates are right, set the clock of this machine',
  }),
  'speaks-plain': ({ server }, { endpoint: { tls } }) => ({
    id: 'tls.plain-port',
    title: `${serverName(server)} does not speak TLS, but the credentials ask for it`,
    from: tls.from,
    fix: 'put the port for TLS into the credentials (tls_port), or remove the field that asks for TLS',
  }),
  'speaks-tls': ({ server }, { endpoint: { tls } }) => ({
    id: 'tls.missing',
    title: `${serverName(server)} speaks only TLS, but the credentials do not ask for it`,
    from: tls.from,
    fix: 'put "tls": true into the credentials, or the port without TLS',
  }),
  'tls-failed': ({ server }, { endpoint: { clientCertificate } }, said) => {
    // In TLS 1.2 a server says no more than this to a client without a certificate.
    const isRefusal = clientCertificate === undefined && said.includes('alert handshake failure')
    return {
      id: isRefusal ? 'tls.client-certificate' : 'tls.handshake',
      title: `the TLS handshake with ${serverName(server)} failed: ${said || 'PHP gives no reason'}`,
      from: server.from,
      fix: isRefusal
        ? 'if the server asks for a client certificate, put client_certificate and client_key into the credentials; otherwise check which ciphers it accepts'
        : 'check which TLS versions and ciphers the server accepts',
    }
  },
  'tls-closed': ({ server }) => ({
    id: 'tls.closed',
    title: `${serverName(server)} closes the connection before the TLS handshake, as a Redis does when all its connections are used`,
    from: server.from,
    fix: 'compare connected_clients with maxclients in its INFO, and use a plan with more connections, fewer workers of php-fpm (pm.max_children), or fewer instances; otherwise look in its log',
  }),
  closed: ({ server }, { endpoint: { clientCertificate } }, said) => ({
    id: 'tls.client-certificate',
    title:
      clientCertificate === undefined
        ? `${serverName(server)} closes the TLS connection: it asks for a client certificate`
        : `${serverName(server)} rejects the client certificate of the binding`,
    from: clientCertificate?.from ?? `${server.from} (${said || 'no reason given'})`,
    fix: 'put client_certificate, signed by the CA of the server, and client_key into the credentials',
  }),
}

/** Whether both sides speak TLS or neither does, and the certificate proves who the server is. */
export const handshake: Check = {
  id: 'tls.handshake',
  meaning: 'do both sides agree on TLS, and is it the right server?',
  needs: ['net.connect'],
  run: (context) => {
    const { planned } = context.plan
    if (planned === undefined) return undefined
    const isTls = planned.endpoint.tls.value
    const made = checkServers(
      context,
      () =>
        isTls ? 'TLS is used, and PHP trusts the certificate and its name' : 'TLS is not used on either side',
      (reached, store, said) =>
        reached.answer.state === 'closed' && !isTls
          ? undefined
          : TLS_TROUBLE[reached.answer.state]?.(reached, store, said),
    )
    return isTls || made?.findings.length !== 0 ? made : undefined
  },
}
