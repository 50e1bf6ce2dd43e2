import { words } from '../text.ts'

/**
 * The names that brokers use for each field, in lower case without separators: `tls_port`, `tlsPort` and `TLS_PORT`
 * are one name. If several fields of a list have a value, the first name in the list wins.
 */
export const FIELD_NAMES = {
  host: words(`
    host hostname servicename tlshost tlshostname primaryendpoint endpointaddress endpoint primaryendpointaddress
    endpoint0address masterhost primaryhost address
  `),
  port: words(`
    port masterport hostport portnumber masterportnumber endpoint0port primaryport discoveryendpoints0port
    clusterendpoint0port
  `),
  serviceNames: words('servicenames'),
  tlsPort: words('tlsport sslport'),
  tls: words('tls ssl tlsenabled sslenabled usetls usessl enabletls enablessl tlsmode sslmode'),
  scheme: words('scheme protocol'),
  user: words('username user hostuser aclusername'),
  password: words(`
    password primarykey authstring authtoken hostpassword pass auth primaryaccesskey authpassword
  `),
  uri: words(`
    uri url dsn composed connectionuri connectionurl connectionstring uridirect1 masterurl masteruri cliurl
    primaryconnectionstring
  `),
  tlsUri: words('tlsuri tlsurl ssluri sslurl'),
  database: words('database db dbindex databaseindex databasenumber'),
  socket: words('socket unixsocket socketpath unixsocketpath'),
  servers: words('servers vip clusteraddress'),
  hosts: words('hosts nodes'),
  weight: words('weight'),
  loadBalancedHost: words('loadbalancedhost'),
  clusterMode: words('clustermode clusterenabled'),
  clusterNodes: words(`
    clusternodes clusterseeds clusterhosts seeds discoveryendpoint configurationendpoint
    configurationendpointaddress discoveryendpoints0address clusterendpoint0address clusterendpoint
  `),
  masterName: words(`
    mastername sentinelmastername sentinelmaster sentinelmasterid sentinelmasterset sentinelname sentinelservice
    sentinelservicename primaryname
  `),
  haMasterName: words('hamastername'),
  master: words('master'),
  name: words('name'),
  sentinelEnabled: words('sentinelenabled sentinelmode usesentinel enablesentinel'),
  sentinels: words('sentinels sentinelhosts sentinelhost'),
  sentinelNodes: words('sentinelnodes'),
  sentinelAddresses: words('sentineladdrs sentineladdresses'),
  sentinelPort: words('sentinelport haport'),
  sentinelTlsPort: words('sentineltlsport tlshaport tlssentinelport'),
  sentinelUser: words('sentinelusername sentineluser'),
  sentinelPassword: words('sentinelpassword hapassword'),
  ca: words(`
    tlsca cacrt cacertpem cacert capem cacertificate cacertificates certificates cacertificatebase64
    certificatebase64 cabase64 tlsserverca serverca tlssslrootcert sslrootcert tlscacert tlscacrt sslca tlsrootca
    rootca cadata cabundle capem tlscadata servercacerts servercacert ca
  `),
  clientCertificate: words(`
    tlscertificate tlscrt clientcertificate clientcert clientcrt tlscert sslcert tlssslcert tlsclientcert
    tlsclientcertificate
  `),
  sessionKeys: words('sessionencryptionkey sessionencryptionkeys'),
  clientKey: words('tlsprivatekey tlskey clientkey clientprivatekey sslkey tlssslkey privatekey'),
} as const satisfies Record<string, readonly string[]>

export type Field = keyof typeof FIELD_NAMES

const KNOWN: ReadonlySet<string> = new Set(Object.values(FIELD_NAMES).flat())

/** What a field's name may begin with: a kind of server, or a word of a tool that writes secrets. */
const PREFIXES = words(`
  redis rediss rediscloud valkey valkeys keyvalue memcached memcache memcachedcloud memcachier attribute
`)

/** Spells the name of a field as `FIELD_NAMES` does. `isPlain`: it had no kind of server as a prefix. */
export function readFieldName(key: string): { readonly name: string; readonly isPlain: boolean } {
  const plain = withoutIndex(key.toLowerCase().replace(/[^a-z0-9]/g, ''))
  if (KNOWN.has(plain)) return { name: plain, isPlain: true }
  const bare = PREFIXES.filter((prefix) => plain.startsWith(prefix))
    .map((prefix) => plain.slice(prefix.length))
    .find((name) => KNOWN.has(name) || FLAGS.includes(name))
  return { name: bare ?? plain, isPlain: bare === undefined }
}

/** Crossplane writes a list of certificates as `server_ca_certs_0_cert`, `server_ca_certs_1_cert`. */
function withoutIndex(name: string): string {
  return name.replace(/(cacerts?)[0-9]+cert$/, '$1')
}

/** These count as fields only if they are switched on. */
const FLAGS = ['cluster', 'sentinel']

/** A variable such as `HEROKU_REDIS_RED_URL` or `VALKEY_HOST_SESSIONS`, taken apart. */
export interface FieldVariable {
  /** What the variables of one service have in common, e.g. `HEROKU_REDIS_RED`, `VALKEY_SESSIONS`. */
  readonly group: string
  /** Spelled as in `FIELD_NAMES`. */
  readonly name: string
}

/** Takes the name of an environment variable apart; undefined where no part of it is the name of a field. */
export function readVariable(variable: string): FieldVariable | undefined {
  const parts = variable.split('_')
  // The longest name wins, and of equally long names the last: REDIS_TLS_URL is a `tls_url`.
  for (let length = parts.length; length > 0; length--)
    for (let end = parts.length; end >= length; end--) {
      const name = parts
        .slice(end - length, end)
        .join('')
        .toLowerCase()
      if (KNOWN.has(name) || FLAGS.includes(name))
        return { group: [...parts.slice(0, end - length), ...parts.slice(end)].join('_'), name }
    }
  const { name, isPlain } = readFieldName(variable)
  return isPlain ? undefined : { group: variable.slice(0, variable.length - name.length), name }
}

const PLACES: ReadonlySet<string> = new Set(
  (
    ['host', 'uri', 'tlsUri', 'socket', 'servers', 'clusterNodes', 'sentinels', 'sentinelNodes'] as const
  ).flatMap((field): readonly string[] => FIELD_NAMES[field]),
)

/** Whether a field with this name can say where a server is. */
export function isPlace(name: string): boolean {
  return PLACES.has(name)
}
