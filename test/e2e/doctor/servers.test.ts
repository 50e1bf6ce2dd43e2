import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Service } from '../../../lab/bindings.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { type Answers, always, startResponder, to } from '../../../lab/servers/responder.ts'
import { diagnose, makeMachine } from '../../support/doctor/machine.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'

/** Catches hangs; on a quiet machine none takes longer than five seconds. */
const LIMIT_MILLISECONDS = 15_000
const times: [milliseconds: number, name: string][] = []

/** What a server can say at the first command, and the one finding that the doctor must give. */
const FIRST: Readonly<Record<string, readonly [Answers, id: string]>> = {
  'protected mode': [always('-DENIED Redis is running in protected mode\r\n'), 'redis.protected'],
  'max number of clients': [always('-ERR max number of clients reached\r\n'), 'redis.clients'],
  'the limit of a managed service': [always('-ERR max concurrent connections exceeded\r\n'), 'redis.clients'],
  loading: [always('-LOADING Redis is loading the dataset in memory\r\n'), 'redis.loading'],
  'loading, as Dragonfly says it': [
    always('-LOADING Dragonfly is loading the dataset in memory\r\n'),
    'redis.loading',
  ],
  'a script that does not end': [
    always('-BUSY Redis is busy running a script. You can only call SCRIPT KILL.\r\n'),
    'redis.busy',
  ],
  'a replica without its master': [
    always("-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n"),
    'redis.replica',
  ],
  'a full disk': [
    always('-MISCONF Redis is configured to save RDB snapshots, but is unable to persist to disk.\r\n'),
    'redis.misconf',
  ],
  'Envoy without a server': [always('-no upstream host\r\n'), 'redis.proxy'],
  'Envoy whose server fails': [always('-upstream failure\r\n'), 'redis.proxy'],
  'twemproxy without a server': [always('-ERR Connection refused\r\n'), 'redis.proxy'],
  'a web server': [always('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'), 'net.foreign'],
  'an SSH server': [always('SSH-2.0-OpenSSH_9.2\r\n'), 'net.foreign'],
  'OK to everything': [always('+OK\r\n'), 'net.foreign'],
  'a line that is nothing': [always('\r\n'), 'net.foreign'],
  'a Memcached': [always('ERROR\r\n'), 'net.other-store'],
  'a relay that accepts and closes': [always('CLOSE'), 'net.closed'],
  'a relay that never answers': [always('SILENCE'), 'net.silent'],
  'a relay that drips': [always('DRIP'), 'net.silent'],
}

/** What a server that greets well can say later, in front of a real Redis. */
const LATER: Readonly<Record<string, readonly [Answers, id: string]>> = {
  'AUTH closes the connection': [to(/^AUTH$/, 'CLOSE'), 'net.closed'],
  'AUTH is never answered': [to(/^AUTH$/, 'SILENCE'), 'net.silent'],
  'AUTH drips': [to(/^AUTH$/, 'DRIP'), 'net.silent'],
  'AUTH gets HTTP': [to(/^AUTH$/, 'HTTP/1.1 400 Bad Request\r\n\r\n'), 'net.foreign'],
  'the default user is off': [
    to(/^AUTH$/, '-WRONGPASS invalid username-password pair or user is disabled.\r\n'),
    'auth.rejected',
  ],
  'Redis 5 and a wrong password': [to(/^AUTH$/, '-ERR invalid password\r\n'), 'auth.rejected'],
  'Envoy without a password': [
    to(/^AUTH$/, '-ERR Client sent AUTH, but no password is set\r\n'),
    'auth.unneeded',
  ],
  'the login is accepted and asked for again': [
    to(/^(AUTH|PING)$/, '-NOAUTH Authentication required.\r\n'),
    'auth.failed',
  ],
  'loading begins after the login': [
    to(/^(EVAL|EVALSHA|SETEX|GET)$/, '-LOADING Redis is loading the dataset in memory\r\n'),
    'redis.loading',
  ],
  'scripts are switched off': [
    to(/^EVAL/, "-ERR unknown command 'EVAL', with args beginning with: \r\n"),
    'redis.no-scripts',
  ],
  'scripts are never answered': [to(/^EVAL/, 'SILENCE'), 'net.silent'],
  'scripts close the connection': [to(/^EVAL/, 'CLOSE'), 'net.closed'],
  'scripts drip': [to(/^EVAL/, 'DRIP'), 'net.silent'],
  'scripts get OK': [to(/^EVAL/, '+OK\r\n'), 'redis.answer'],
  'reads come from another server': [to(/^(GET|EVAL|EVALSHA)$/, '$-1\r\n'), 'redis.answer'],
  'too few replicas': [
    to(/^(SETEX|SET|EVALSHA)$/, '-NOREPLICAS Not enough good replicas to write.\r\n'),
    'redis.no-replicas',
  ],
  'out of memory, as Dragonfly says it': [to(/^(SETEX|SET|EVALSHA)$/, '-Out of memory\r\n'), 'redis.full'],
  'another slot': [to(/^(SETEX|GET|EVALSHA)$/, '-MOVED 3999 127.0.0.1:6381\r\n'), 'redis.is-cluster'],
  'a cluster that is down': [
    to(/^(SETEX|GET|EVALSHA)$/, '-CLUSTERDOWN The cluster is down\r\n'),
    'redis.cluster-down',
  ],
}

/** What only the doctor asks; a proxy that does not know it keeps sessions well. */
const UNKNOWN: Readonly<Record<string, Answers>> = {
  'a proxy that closes at ROLE, INFO and CLUSTER': to(/^(ROLE|INFO|CLUSTER)$/, 'CLOSE'),
  'a proxy that does not know them': to(/^(ROLE|INFO|CLUSTER)$/, '-ERR unsupported command\r\n'),
  'a proxy that knows no PING after the login': (command, isLine) =>
    command === 'PING' && !isLine ? '-ERR unknown command\r\n' : undefined,
}

/** What may answer where a Memcached should. */
const MEMCACHED: Readonly<Record<string, readonly [Answers, id: string]>> = {
  'a relay that accepts and closes': [always('CLOSE'), 'net.closed'],
  'a relay that never answers': [always('SILENCE'), 'net.silent'],
  'a relay that drips': [always('DRIP'), 'net.silent'],
  'a web server': [always('HTTP/1.1 400 Bad Request\r\n\r\n'), 'net.foreign'],
  'a Redis': [(_, isLine) => (isLine ? "-ERR unknown command 'version'\r\n" : 'SILENCE'), 'net.other-store'],
  'too many connections': [always('ERROR Too many open connections\r\n'), 'memcached.clients'],
  twemproxy: [
    (command) => (/^(GETS?|SET|ADD|CAS|DELETE)$/.test(command) ? 'END\r\n' : 'CLOSE'),
    'net.closed',
  ],
  mcrouter: [
    (command) => (command === 'VERSION' ? 'VERSION mcrouter 0.41.0\r\n' : 'CLOSE'),
    'memcached.text-only',
  ],
  'the text protocol': [always('VERSION 1.6.18\r\n'), 'memcached.text-only'],
}

/** What is the same for every topology: some of it is enough for the others. */
const SOME = [
  'loading',
  'Envoy without a server',
  'a web server',
  'a relay that never answers',
  'a relay that drips',
]
const FEW = Object.entries(FIRST).filter(([name]) => SOME.includes(name))

test.each(Object.entries(FIRST))('the first answer is %s', async (name, [answers, id]) => {
  const responder = await startResponder(answers)
  onTestFinished(responder.stop)
  await expectFirst(name, redisAt({ port: responder.port }), {}, id)
})

test.each(FEW)('of a cluster the first answer is %s', async (name, [answers, id]) => {
  const responder = await startResponder(answers)
  onTestFinished(responder.stop)
  await expectFirst(name, redisAt({ port: responder.port }), { PHP_SESSIONS_TOPOLOGY: 'cluster' }, id)
})

test.each(FEW)('of a Sentinel the first answer is %s', async (name, [answers]) => {
  const responder = await startResponder(answers)
  onTestFinished(responder.stop)
  const credentials = { master_name: 'm', sentinels: [`127.0.0.1:${responder.port}`], password: 'pw' }
  await expectFirst(name, { name: 'app-redis-sessions', credentials }, {}, 'redis.master')
})

test.each(Object.entries(MEMCACHED))('of a Memcached the answer is %s', async (name, [answers, id]) => {
  const responder = await startResponder(answers)
  onTestFinished(responder.stop)
  const credentials = { servers: `127.0.0.1:${responder.port}` }
  await expectFirst(name, { name: 'app-memcached-sessions', credentials }, {}, id)
})

/** phpredis says other words in each PHP; the managed handler's commands are the same in both. */
const HANDLERS = PHPS.flatMap(([name, php], i) =>
  ['native', 'managed'].slice(0, i === 0 ? 2 : 1).map((handler) => ({ name, php, handler })),
)

describe.each(HANDLERS)('$name, with the $handler handler', ({ php, handler }) => {
  const env = { PHP_SESSIONS_HANDLER: handler }

  test.each(Object.entries(LATER))('after a good greeting, %s', async (name, [answers, id]) => {
    const server = await startRedis({ password: 'pw' })
    onTestFinished(server.stop)
    const responder = await startResponder(answers, { behind: server.port })
    onTestFinished(responder.stop)
    await expectFirst(name, redisAt({ port: responder.port, password: 'pw' }), env, id, php)
  })

  test.each(Object.entries(UNKNOWN))('%s is fine', async (_, answers) => {
    const server = await startRedis({ password: 'pw' })
    onTestFinished(server.stop)
    const responder = await startResponder(answers, { behind: server.port })
    onTestFinished(responder.stop)
    const { out, status } = await diagnose(
      await machineFor(redisAt({ port: responder.port, password: 'pw' }), env, php),
    )
    expect(out).not.toMatch(/^ *[!✗]/m)
    expect(out).toContain(`the server accepts every command of the ${handler} handler`)
    expect(status).toBe(0)
  })
})

afterAll(() => {
  const slowest = times.toSorted(([a], [b]) => b - a).slice(0, 5)
  process.stdout.write(`slowest: ${slowest.map(([time, name]) => `${name} ${time} ms`).join(', ')}\n`)
})

type Env = Readonly<Record<string, string>>

function redisAt(credentials: { readonly port: number; readonly password?: string }): Service {
  return { name: 'app-redis-sessions', credentials: { host: '127.0.0.1', ...credentials } }
}

function machineFor(service: Service, env: Env, php = PHPS[0]?.[1]) {
  const app = 'zend_extension = opcache\n'
  return makeMachine({ services: [service], env, app, ...(php === undefined ? {} : { php }) })
}

/** The doctor's only error has this id, no check before it shows what it does not know, and none after it is made. */
async function expectFirst(
  name: string,
  service: Service,
  env: Env,
  id: string,
  php?: PhpUnderTest,
): Promise<void> {
  const { out, status, milliseconds } = await diagnose(await machineFor(service, env, php), '--debug')
  times.push([milliseconds, `${name}, ${Object.values(env).join()}`])
  const found = [...out.matchAll(/^ *✗.*\(([a-z0-9.-]+)\)$/gm)].map(([, one]) => one)
  expect(found, out).toEqual([id])
  expect(out).not.toMatch(/✓.*\?|does all that/)
  expect(status).toBe(1)
  expect(milliseconds).toBeLessThan(LIMIT_MILLISECONDS)
}
