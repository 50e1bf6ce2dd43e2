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

/** What a probe met at the one Memcached. */
function memcachedMeets(answer: ServerAnswer): Case {
  return {
    services: [{ name: 'app-memcached-sessions', credentials: { host: '10.0.4.41', port: 11211 } }],
    answers: { network: { servers: [answer] } },
  }
}

/** What a server may say to every command. */
const ERRORS = [
  'ERR max concurrent connections exceeded',
  'LOADING Redis is loading the dataset in memory',
  'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
  'MISCONF Redis is configured to save RDB snapshots, but is unable to persist to disk.',
  'NOREPLICAS Not enough good replicas to write.',
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  'CLUSTERDOWN The cluster is down',
  'no upstream host',
  'ERR Connection refused',
]

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
  'a socket that is a file': meets(
    { state: 'refused', said: 'it is a file, not a socket' },
    { socket: '/run/r.sock' },
  ),
  'a server that says what is no text': meets({ state: 'foreign', said: '\u0000\u0016\ufffd' }),
  'a server that says an empty line': meets({ state: 'foreign', said: '' }),
  'a relay that drips': meets({ state: 'dripping', said: '+x' }),
  'a slow server': meets({ state: 'speaks', said: '+PONG', milliseconds: 1400.2 }),
  'a Memcached in place of Redis': meets({ state: 'other-store', said: 'ERROR' }),
  'a Redis in place of Memcached': memcachedMeets({ state: 'other-store', said: '-ERR unknown command' }),
  'a Memcached for text only': memcachedMeets({ state: 'text-only', said: 'VERSION 1.6.18' }),
  'a Memcached with as many clients as it allows': memcachedMeets({
    state: 'crowded',
    said: 'ERROR Too many open connections',
  }),
  ...Object.fromEntries(
    ERRORS.map((error) => [`a server that says: ${error}`, meets({ state: 'speaks', said: `-${error}` })]),
  ),
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
    },
  },
  'a Memcached pool of frozen servers, for which there is no time': {
    services: [memcachedService],
    answers: { network: { servers: [{ state: 'silent' }, { state: 'untried' }] } },
  },
  'a private CA': meetsTls({ state: 'tls-ca', certificate: CERTIFICATE }),
  'a private CA without a name': meetsTls({ state: 'tls-ca', certificate: { ...CERTIFICATE, issuer: '' } }),
  'an expired CA': meetsTls(
    { state: 'tls-ca', certificate: CERTIFICATE, caEnded: '2025-01-01' },
    { ca: PEM },
  ),
  'another CA than that of the binding': meetsTls({ state: 'tls-ca', certificate: CERTIFICATE }, { ca: PEM }),
  'a certificate for another name': meetsTls({ state: 'tls-name', certificate: CERTIFICATE }),
  'an expired certificate': meetsTls({ state: 'tls-expired', certificate: CERTIFICATE }),
  'TLS on a port without TLS': meetsTls({ state: 'speaks-plain' }),
  'no TLS on a port with TLS': meets({ state: 'speaks-tls' }),
  'a Redis over TLS with as many clients as it allows': meetsTls({ state: 'tls-closed', said: '' }),
  'no common cipher': meetsTls({ state: 'tls-failed', said: 'SSL: no shared cipher' }),
  'a server that refuses the handshake in TLS 1.2': meetsTls({
    state: 'tls-failed',
    said: 'SSL routines::sslv3 alert handshake failure',
  }),
  'a handshake that fails for no reason': meetsTls({ state: 'tls-failed', said: '' }),
  'no client certificate': meetsTls({ state: 'closed', said: 'SSL: tlsv13 alert certificate required' }),
  'no client certificate, for no reason': meetsTls({ state: 'closed' }),
  'another client certificate': meetsTls({ state: 'closed' }, { client_certificate: PEM, client_key: KEY }),
}
