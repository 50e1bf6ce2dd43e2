/**
 * What each thing is called by the brokers that exist, in lower case without separators: `tls_port`, `tlsPort`
 * and `TLS_PORT` are one name. The first name of a list that has a value wins.
 */
export const FIELD_NAMES = {
  host: [
    ...['host', 'hostname', 'servicename', 'tlshost', 'tlshostname', 'primaryendpoint', 'endpointaddress'],
    ...['endpoint', 'primaryendpointaddress', 'endpoint0address', 'masterhost', 'primaryhost', 'address'],
  ],
  port: ['port', 'masterport', 'hostport', 'portnumber', 'masterportnumber', 'endpoint0port'],
  serviceNames: ['servicenames'],
  tlsPort: ['tlsport', 'sslport'],
  tls: ['tls', 'ssl', 'tlsenabled', 'sslenabled', 'usetls', 'usessl'],
  scheme: ['scheme', 'protocol'],
  user: ['username', 'user', 'hostuser', 'aclusername'],
  password: ['password', 'primarykey', 'authstring', 'authtoken', 'hostpassword', 'pass', 'auth'],
  uri: [
    ...['uri', 'url', 'dsn', 'composed', 'connectionuri', 'connectionurl', 'connectionstring', 'uridirect1'],
    ...['masterurl', 'masteruri', 'cliurl'],
  ],
  tlsUri: ['tlsuri', 'tlsurl', 'ssluri', 'sslurl'],
  database: ['database', 'db', 'dbindex', 'databaseindex', 'databasenumber'],
  socket: ['socket', 'unixsocket', 'socketpath', 'unixsocketpath'],
  servers: ['servers', 'vip', 'clusteraddress'],
  hosts: ['hosts', 'nodes'],
  loadBalancedHost: ['loadbalancedhost'],
  clusterMode: ['clustermode', 'clusterenabled'],
  clusterNodes: [
    ...['clusternodes', 'clusterseeds', 'clusterhosts', 'seeds', 'discoveryendpoint'],
    ...['configurationendpoint', 'configurationendpointaddress'],
  ],
  masterName: [
    ...['mastername', 'sentinelmastername', 'sentinelmaster', 'sentinelmasterid', 'sentinelmasterset'],
    ...['sentinelname', 'sentinelservice', 'sentinelservicename'],
  ],
  haMasterName: ['hamastername'],
  master: ['master'],
  name: ['name'],
  sentinels: ['sentinels', 'sentinelhosts', 'sentinelhost'],
  sentinelNodes: ['sentinelnodes'],
  sentinelAddresses: ['sentineladdrs', 'sentineladdresses'],
  sentinelPort: ['sentinelport', 'haport'],
  sentinelTlsPort: ['sentineltlsport', 'tlshaport', 'tlssentinelport'],
  sentinelUser: ['sentinelusername', 'sentineluser'],
  sentinelPassword: ['sentinelpassword', 'hapassword'],
  ca: [
    ...['tlsca', 'cacrt', 'cacertpem', 'cacert', 'capem', 'cacertificate', 'cacertificates', 'certificates'],
    ...['cacertificatebase64', 'certificatebase64', 'cabase64', 'tlsserverca', 'serverca', 'tlssslrootcert'],
    ...['sslrootcert', 'tlscacert', 'tlscacrt', 'sslca', 'tlsrootca', 'rootca', 'ca'],
  ],
  clientCertificate: [
    ...['tlscertificate', 'tlscrt', 'clientcertificate', 'clientcert', 'clientcrt', 'tlscert', 'sslcert'],
    ...['tlssslcert', 'tlsclientcert', 'tlsclientcertificate'],
  ],
  clientKey: [
    'tlsprivatekey',
    'tlskey',
    'clientkey',
    'clientprivatekey',
    'sslkey',
    'tlssslkey',
    'privatekey',
  ],
} as const satisfies Record<string, readonly string[]>

export type Field = keyof typeof FIELD_NAMES

const KNOWN: ReadonlySet<string> = new Set(Object.values(FIELD_NAMES).flat())

/** Words that tell the kind of a server, as part of a label, a tag, a scheme or a field's name. */
export const KIND_WORDS = {
  redis: ['redis', 'valkey', 'keyvalue'],
  memcached: ['memcache', 'memcachier'],
} as const

/** What a field's name may have in front: its kind, or a word of a tool that writes secrets. */
const PREFIXES = [
  ...['redis', 'rediss', 'rediscloud', 'valkey', 'valkeys', 'keyvalue'],
  ...['memcached', 'memcache', 'memcachedcloud', 'memcachier', 'attribute'],
]

/** How `FIELD_NAMES` would write the name of a field, and whether it was written so, without its kind in front. */
export function readFieldName(key: string): { readonly name: string; readonly isPlain: boolean } {
  const plain = key.toLowerCase().replace(/[^a-z0-9]/g, '')
  if (KNOWN.has(plain)) return { name: plain, isPlain: true }
  const bare = PREFIXES.filter((prefix) => plain.startsWith(prefix))
    .map((prefix) => plain.slice(prefix.length))
    .find((name) => KNOWN.has(name))
  return { name: bare ?? plain, isPlain: bare === undefined }
}

/** A variable such as `HEROKU_REDIS_RED_URL` or `VALKEY_HOST_SESSIONS`, taken apart. */
export interface Variable {
  /** What the variables of one service have in common, e.g. `HEROKU_REDIS_RED`, `VALKEY_SESSIONS`. */
  readonly group: string
  /** As in `FIELD_NAMES`. */
  readonly name: string
}

/** Takes the name of an environment variable apart; undefined where no part of it is the name of a field. */
export function readVariable(variable: string): Variable | undefined {
  const words = variable.split('_')
  // The longest name, and of several as long the last: REDIS_TLS_URL is about a `tls_url`.
  for (let length = words.length; length > 0; length--)
    for (let end = words.length; end >= length; end--) {
      const name = words
        .slice(end - length, end)
        .join('')
        .toLowerCase()
      if (KNOWN.has(name))
        return { group: [...words.slice(0, end - length), ...words.slice(end)].join('_'), name }
    }
  const { name, isPlain } = readFieldName(variable)
  return isPlain ? undefined : { group: variable.slice(0, variable.length - name.length), name }
}

const PLACES: ReadonlySet<string> = new Set(
  (
    ['host', 'uri', 'tlsUri', 'socket', 'servers', 'clusterNodes', 'sentinels', 'sentinelNodes'] as const
  ).flatMap((field): readonly string[] => FIELD_NAMES[field]),
)

/** Whether a field of this name can say where a server is. */
export function isPlace(name: string): boolean {
  return PLACES.has(name)
}
