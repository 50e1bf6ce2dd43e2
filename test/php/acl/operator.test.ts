import { describe, expect, onTestFinished, test } from 'vitest'
import type { Service } from '../../../lab/bindings.ts'
import { startRedisCluster } from '../../../lab/redis/cluster.ts'
import type { AccessOptions, Redis } from '../../../lab/redis/options.ts'
import { unsent } from '../../../lab/redis/sent.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { main } from '../../../src/cli/main.ts'
import { makeMachine } from '../../support/doctor/machine.ts'
import { SERVERS } from '../../support/servers.ts'
import { hostOf } from '../../support/sessions.ts'

const OPERATOR = 'php-sessions-operator'
const ADMIN = { user: { name: 'admin', password: 'admin' } }

/** Servers on which only the printed user may do anything, and one beside them where everything is allowed. */
async function startOperated(which: AccessOptions, isCluster: boolean) {
  const servers = isCluster
    ? await startRedisCluster({ ...which, ...ADMIN, replicas: 0 })
    : await startRedis({ ...which, ...ADMIN }).then((server) => ({ ...server, nodes: [server] }))
  onTestFinished(servers.stop)
  const other = await startRedis()
  onTestFinished(other.stop)
  const { cli, nodes } = servers
  const places = nodes.map(({ port }) => `127.0.0.1:${port}`).join()
  const place = isCluster ? { 'cluster.nodes': places } : { uri: `redis://${places}/2` }
  const login = { username: OPERATOR, password: 'pw' }
  const services: readonly Service[] = [
    { name: 'main', tags: ['redis'], credentials: { ...place, ...login } },
    { name: 'other', tags: ['redis'], credentials: { host: other.host, port: other.port } },
  ]
  const machine = await makeMachine({
    services,
    env: { PHP_SESSIONS_SERVICE: 'main', PHP_SESSIONS_PREFIX: 'shop:', PHP_SESSIONS_HANDLER: 'managed' },
    isInstalled: false,
  })
  const run = (...args: readonly string[]) => {
    const said = { out: '', err: '' }
    const add = (to: 'out' | 'err') => (text: string) => {
      said[to] += text
    }
    const host = {
      ...hostOf(machine),
      out: add('out'),
      err: add('err'),
    }
    const status = main(host, [...args, '--app', `${machine.directory}/app`, '--fpm', 'none'])
    return { status, ...said }
  }
  const inData = (...args: readonly string[]) => cli(...(isCluster ? [] : ['-n', '2']), ...args)
  return { run, nodes, inData, other }
}

/** One session that a request holds and another waits for, and one that nobody has. */
function fill(inData: (...args: readonly string[]) => string, isCluster: boolean): void {
  const held = isCluster ? '{shop:held}' : 'shop:held'
  inData('SET', 'shop:held', 'user_id|i:1;', 'EX', '1000')
  inData('SET', 'shop:free', 'user_id|i:2;', 'EX', '1000')
  inData('SET', `${held}_LOCK`, '0123456789abcdef|1|1|GET /a', 'PX', '600000')
  inData('ZADD', `${held}_WAIT`, '99999999999999', 'x')
}

/** Makes the user of the printed line on each node. */
function permit(nodes: readonly Redis[], line: string): void {
  const [command = '', ...words] = line.trim().replace('>PASSWORD', '>pw').split(' ')
  for (const node of nodes) {
    expect(node.cli(command, ...words)).toBe('OK')
    node.cli('CONFIG', 'RESETSTAT')
  }
}

/** Every command, and what proves that it has worked. */
const COMMANDS: readonly (readonly [args: readonly string[], proof: RegExp])[] = [
  [['sessions'], /2 sessions in/],
  [['sessions', 'show', 'held'], /user_id/],
  [['locks'], /1 session is locked/],
  [['copy', '--from', 'main', '--to', 'other'], /2 sessions/],
  [['sessions', 'end', '--where', 'user_id=2', '--yes'], /1 session/],
  [['sessions', 'end', 'held', '--yes'], /1 session/],
  [['copy', '--from', 'other', '--to', 'main'], /2 sessions/],
  [['sessions', 'end', '--all', '--yes'], /2 sessions/],
]

const KINDS = [
  ...SERVERS.map(([name, which]) => [name, which, false] as const),
  ['a cluster', {}, true] as const,
]

describe.each(KINDS)('%s', (_, which, isCluster) => {
  test('an operator with the printed rights can do all that sessions, locks and copy do, and no right is for nothing', async () => {
    const { run, nodes, inData } = await startOperated(which, isCluster)
    const { out: line, status } = run('explain', '--acl', '--operator')
    expect(status).toBe(0)
    fill(inData, isCluster)
    permit(nodes, line)
    for (const [args, proof] of COMMANDS) {
      const { status, out, err } = run(...args)
      expect(`${args.join(' ')}: ${status} ${out}${err}`).toMatch(proof)
      expect(status).toBe(0)
    }
    const permitted = [...line.matchAll(/\+(\S+)/g)].map(([, command = '']) => command)
    // While a slot moves.
    expect(unsent(permitted, nodes, which)).toEqual(isCluster ? ['asking'] : [])
  })
})

/** Which command needs a right, by the right; without DBSIZE only the bar has no end. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  scan: ['sessions'],
  strlen: ['sessions'],
  pttl: ['sessions', 'show', 'free'],
  get: ['sessions', 'show', 'free'],
  time: ['locks'],
  zcard: ['locks'],
  eval: ['sessions', 'end', 'held', '--yes'],
  exists: ['sessions', 'end', 'held', '--yes'],
  lpush: ['sessions', 'end', 'held', '--yes'],
  pexpire: ['sessions', 'end', 'held', '--yes'],
  del: ['sessions', 'end', '--all', '--yes'],
  set: ['copy', '--from', 'other', '--to', 'main'],
  select: ['sessions'],
}

test('without one of the rights, the command that needs it says so', async () => {
  const { run, nodes, inData, other } = await startOperated({}, false)
  const { out: line } = run('explain', '--acl', '--operator')
  permit(nodes, line)
  other.cli('SET', 'shop:new', 'user_id|i:3;', 'EX', '1000')
  const rights = [...line.matchAll(/\+(\S+)/g)].map(([, right = '']) => right)
  expect(rights.filter((right) => right !== 'dbsize').toSorted()).toEqual(Object.keys(NEEDED).toSorted())
  for (const [right, args] of Object.entries(NEEDED)) {
    fill(inData, false)
    nodes[0]?.cli('ACL', 'SETUSER', OPERATOR, `-${right}`)
    const { status, err } = run(...args)
    expect({ right, status, err }).toEqual({
      ...{ right, status: 1 },
      err: expect.stringMatching(/(NOPERM|can't run this command)[\s\S]*explain --acl/),
    })
    nodes[0]?.cli('ACL', 'SETUSER', OPERATOR, `+${right}`)
  }
  nodes[0]?.cli('ACL', 'SETUSER', OPERATOR, '-dbsize')
  expect(run('sessions').status).toBe(0)
  expect(inData('GET', 'shop:free')).toBe('user_id|i:2;')
})
