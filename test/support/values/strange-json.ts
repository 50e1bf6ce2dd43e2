import { fc } from '../properties.ts'

export const KEYS = [
  ...[
    'host',
    'port',
    'uri',
    'password',
    'username',
    'tls',
    'ca',
    'sentinels',
    'master_name',
    'nodes',
    'cluster',
  ],
  ...[
    'redis',
    'valkey',
    'credentials',
    'connection',
    'rediss',
    'hosts',
    'servers',
    'database',
    'sentinel',
    'weight',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'valueOf',
    'prototype',
    '',
    ' ',
    'é',
    '\u202e',
    '\0',
  ],
  ...['sentinelEnabled', 'clustermode', 'tlsport', 'servicenames', 'server_ca_certs_0_cert', 'credhub-ref'],
]
export const SECRET = 'S3CR3T-canary'
export const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    0,
    -1,
    1e21,
    0.5,
    6379,
    '6379',
    '0',
    '',
    'h',
    'true',
    'off',
    '[',
    '{"',
  ),
  fc.constantFrom(
    ...[
      'redis://h',
      'rediss://:p@h:1/2',
      'tcp://h?auth[]=a',
      'redis:?host[',
      'redis+sentinel://h/m',
      '://',
      '@',
      '%',
    ],
    ...[
      'redis://[',
      'redis://h:99999',
      '-----BEGIN CERTIFICATE-----',
      '[{"host":"a"},{"host":"b"}]',
      '{"a":{"a":{}}}',
    ],
    ...[
      'redis://u:%00@h',
      'redis://\u0000',
      '\ud800',
      'h1 h2',
      'h1,h2',
      '::1',
      '[::1]:1',
      '/run/x.sock',
      '/',
      '..',
    ],
    `redis://:${SECRET}@h,, ,h2:x`,
    `tcp://h?auth=${SECRET}&${SECRET}`,
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
)
const key = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...KEYS) },
  fc.string({ unit: 'binary', maxLength: 8 }),
)
export const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map(asObject),
  ),
}))

/** With `__proto__` as a field like any other, as JSON.parse has it. */
export function asObject(entries: readonly (readonly [string, unknown])[]): unknown {
  return JSON.parse(
    `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value) ?? 'null'}`).join()}}`,
  )
}

export const credentials = fc.array(fc.tuple(key, json), { maxLength: 8 }).map(asObject)
