import { spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeBareContainer } from '../../lab/cloudfoundry/bare-container.ts'
import { MANAGED_FILES } from '../../src/stores/store.ts'
import { EXECUTABLE } from '../support/homes/cloudfoundry.ts'
import { container } from '../support/homes/container.ts'

const isRoot = process.getuid?.() === 0
const OWNER = 2000
const STRANGER = 54321
const as = (uid: number) => [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups']
const SECRETS = ['p4ss-of-strangers', 'S0tlZXBNZVNlY3JldA==']
const pem = (name: string, body: string) => `-----BEGIN ${name}-----\n${body}\n-----END ${name}-----\n`
const CREDENTIALS = {
  host: '127.0.0.1',
  tls_port: 1,
  password: SECRETS[0],
  ca: pem('CERTIFICATE', 'AAAA'),
  client_cert: pem('CERTIFICATE', 'AAAA'),
  client_key: pem('PRIVATE KEY', SECRETS[1] ?? ''),
}
/** The native handler of phpredis 5.3 cannot present a client's certificate. */
const servicesFor = (handler: string) => {
  const { client_cert, client_key, ...rest } = CREDENTIALS
  const credentials = handler === 'managed' ? { ...rest, client_cert, client_key } : rest
  return JSON.stringify({
    'p.redis': [{ name: 'app-redis-sessions', label: 'p.redis', tags: [], credentials }],
  })
}

/** Makes everything in a directory the owner's, with the ways to it open. */
function give(directory: string): void {
  spawnSync('chown', ['-R', `${OWNER}:${OWNER}`, directory])
  chmodSync(directory, 0o755)
}

/** What a home does, and where its files are while the app runs. */
const HOMES: Readonly<
  Record<
    string,
    (handler: string) => {
      readonly start: readonly string[]
      readonly env: NodeJS.ProcessEnv
      readonly directory: string
    }
  >
> = {
  'Cloud Foundry': () => {
    const { env, directory } = makeBareContainer('extension=redis.so\n')
    give(directory)
    return { start: [EXECUTABLE, 'launch'], env, directory }
  },
  'Cloud Native Buildpacks': () => {
    const { env, directory } = container()
    give(directory)
    return { start: ['sh', '-c', '"$0" cnb-launch >/dev/null && "$@"', EXECUTABLE], env, directory }
  },
  'a container': () => {
    const { env, directory } = container()
    give(directory)
    return { start: [EXECUTABLE, 'exec', '--'], env, directory }
  },
}

/** What a stranger who knows all names may do with each file and directory, run while the app runs. */
const TRY = `find "$0" -path '*php-sessions*' | while read -r path; do
  may=
  [ -f "$path" ] && setpriv ${as(STRANGER).join(' ')} cat "$path" >/dev/null 2>&1 && may=read
  setpriv ${as(STRANGER).join(' ')} test -w "$path" && may="$may write"
  grep -qE '${SECRETS.join('|')}' "$path" 2>/dev/null && has=secret || has=
  echo "\${path##*/}|$may|$has"
done`

test
  .skipIf(!isRoot)
  .each(
    Object.keys(HOMES).flatMap((home) => ['native', 'managed'].map((handler) => [home, handler] as const)),
  )('a stranger reads no secret, and writes nothing: %s, %s', (home, handler) => {
  const made = HOMES[home]?.(handler)
  if (made === undefined) throw new Error(home)
  const { start, env, directory } = made
  const done = join(directory, 'done')
  // The owner waits while root, who started all this, lets the stranger try.
  const wait =
    home === 'Cloud Foundry' ? [] : ['sh', '-c', `touch ${done}; while [ -e ${done} ]; do sleep 0.05; done`]
  const script = `setpriv ${as(OWNER).join(' ')} "$@" & pid=$!
    for i in $(seq 600); do [ -e ${done} ] || ! kill -0 $pid 2>/dev/null && break; sleep 0.05; done
    bash -c '${TRY.replaceAll("'", `'\\''`)}' ${directory}; rm -f ${done}; wait $pid`
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...start, ...wait], {
    env: { ...env, VCAP_SERVICES: servicesFor(handler), PHP_SESSIONS_HANDLER: handler },
    cwd: directory,
    encoding: 'utf8',
    timeout: 60_000,
  })
  const rows = stdout
    .split('\n')
    .filter((line) => line.split('|').length === 3)
    .map((line) => line.split('|'))
  const files = Object.fromEntries(rows.map(([name = '', may, has]) => [name, `${may} ${has}`.trim()]))
  expect(stderr).not.toContain('✗')
  expect(Object.entries(files).filter(([, what]) => /write|read secret/.test(what))).toEqual([])
  // The test has seen what there is.
  const secrets =
    handler === 'managed' ? [MANAGED_FILES.store, 'php-sessions-client.pem'] : ['00-php-sessions.ini']
  for (const name of secrets) expect(files[name]).toBe('secret')
  if (home === 'a container') expect(Object.values(files)).toContain('read')
})

test('the reason why strangers are not tried', ({ skip }) => {
  if (!isRoot) skip('only root can be another user')
})
