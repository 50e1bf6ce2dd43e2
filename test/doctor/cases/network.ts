import { CANARY, memcachedService, type Service } from '../../../lab/bindings.ts'
import type { ServerAnswer } from '../../../src/php/answers.ts'
import type { Case, Cases } from '../answers.ts'

const CERTIFICATE = {
  names: 'redis.internal, 10.0.4.30',
  issuer: 'Broker CA',
  from: '2024-01-01',
  to: '2025-01-01',
}
const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
const KEY = '-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n'

/** What a probe met at the one Redis. */
function meets(answer: ServerAnswer, credentials: Readonly<Record<string, string | boolean>> = {}): Case {
  const service: Service = {
    name: 'app-redis-sessions',
    credentials: { host: 'r.internal', port: 6379, password: CANARY, ...credentials },
  }
  return { services: [service], answers: { network: { servers: [answer] } } }
}

function meetsTls(answer: ServerAnswer, credentials: Readonly<Record<string, string | boolean>> = {}): Case {
  return meets(answer, { tls: true, ...credentials })
}

/** What can be wrong on the way to the servers. */
export const NETWORK_CASES: Cases = {
  'a name that leads nowhere': meets({ state: 'unresolved' }),
  'a name server that hangs': meets({ state: 'resolving' }),
  'a closed port': meets({ state: 'refused', said: 'connect() failed (Connection refused)' }),
  'a network that cannot be reached, in other words': meets({
    state: 'refused',
    said: 'stream_socket_client(): Unable to connect to tcp://r.internal:6379: No route to host',
  }),
  'a firewall': meets({ state: 'slow', said: 'Connection timed out' }),
  'a frozen server': meets({ state: 'silent' }),
  'a server that closes the connection': meets({ state: 'closed' }),
  'a server that sends a TLS alert': meets({ state: 'alert' }),
  'a web server': meets({ state: 'foreign', said: `HTTP/1.1 400 Bad Request ${'x'.repeat(80)}` }),
  'a Redis with as many clients as it allows': meets({
    state: 'speaks',
    said: '-ERR max number of clients reached',
  }),
  'a Redis in protected mode': meets({ state: 'speaks', said: '-DENIED Redis is running in protected mode' }),
  'a Memcached pool with a server that is away': {
    services: [memcachedService],
    answers: {
      network: {
        servers: [
          { state: 'speaks', milliseconds: 1, hasLogin: true },
          { state: 'refused', said: 'connect() failed (Connection refused)' },
        ],
      },
      memcached: { servers: [] },
    },
  },
  'a Memcached pool of frozen servers, for which there is no time': {
    services: [memcachedService],
    answers: { network: { servers: [{ state: 'silent' }, { state: 'untried' }] } },
  },
  'a private CA': meetsTls({ state: 'tls-ca', certificate: CERTIFICATE }),
  'a private CA without a name': meetsTls({ state: 'tls-ca', certificate: { ...CERTIFICATE, issuer: '' } }),
  'another CA than that of the binding': meetsTls({ state: 'tls-ca', certificate: CERTIFICATE }, { ca: PEM }),
  'a certificate for another name': meetsTls({ state: 'tls-name', certificate: CERTIFICATE }),
  'an expired certificate': meetsTls({ state: 'tls-expired', certificate: CERTIFICATE }),
  'TLS on a port without TLS': meetsTls({ state: 'speaks-plain' }),
  'no TLS on a port with TLS': meets({ state: 'speaks-tls' }),
  'no common cipher': meetsTls({ state: 'tls-failed', said: 'SSL: no shared cipher' }),
  'a handshake that fails for no reason': meetsTls({ state: 'tls-failed', said: '' }),
  'no client certificate': meetsTls({ state: 'closed', said: 'SSL: tlsv13 alert certificate required' }),
  'no client certificate, for no reason': meetsTls({ state: 'closed' }),
  'another client certificate': meetsTls({ state: 'closed' }, { client_certificate: PEM, client_key: KEY }),
}
