import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { COUNT, startVisiting, visitPage } from '../../support/php/load/visits.ts'
import { configureManaged } from '../../support/php/managed.ts'
import { MEMCACHED_SERVERS, serviceOf, startMemcachedService } from '../../support/php/managed-memcached.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'

const [[, underTest]] = PHPS as [readonly [string, PhpUnderTest]]
const DELAY_MILLISECONDS = 50

/** A way to a server on which each answer takes a moment; counts connections, and commands that are sent when all is answered. */
async function startCountingRelay(target: number) {
  const counted = { connections: 0, roundTrips: 0 }
  const open = new Set<Socket>()
  const relay = createServer((client) => {
    counted.connections++
    const server = connect(target, '127.0.0.1')
    for (const socket of [client, server]) open.add(socket.on('error', () => {}))
    let isAnswered = true
    let held = 0
    client.on('data', (command) => {
      if (isAnswered) counted.roundTrips++
      isAnswered = false
      server.write(command)
    })
    server.on('data', (reply) => {
      held++
      setTimeout(() => {
        held--
        isAnswered = held === 0
        client.write(reply)
      }, DELAY_MILLISECONDS)
    })
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroy())
  }).listen(0, '127.0.0.1')
  await once(relay, 'listening')
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    relay.close()
  })
  return { port: (relay.address() as AddressInfo).port, counted }
}

test.each(MEMCACHED_SERVERS)(
  'a page awaits two answers, on the connection of the worker, which has logged in once: %s',
  async (_server, which) => {
    const { server } = await startMemcachedService(which)
    const { port, counted } = await startCountingRelay(server.port)
    const { service } = serviceOf({ port }, which)
    const { ask } = await startVisiting(underTest, configureManaged(underTest, service), 1)
    const { connections } = counted
    let fewest = Number.POSITIVE_INFINITY
    // On a busy machine an answer may come before PHP has sent what does not depend on it.
    for (let n = 2; n < 30 && fewest !== 2; n++) {
      counted.roundTrips = 0
      expect(await ask()).toBe(`${n} user`)
      fewest = Math.min(fewest, counted.roundTrips)
    }
    expect({ ...counted, roundTrips: fewest }).toEqual({ connections, roundTrips: 2 })
  },
)

test('a page without a session asks nothing of the store', async () => {
  const { server } = await startMemcachedService()
  const { port, counted } = await startCountingRelay(server.port)
  const ini = configureManaged(underTest, serviceOf({ port }).service)
  expect((await visitPage(underTest, ini, `echo 'no session';`, 2)).texts).toEqual([
    'no session',
    'no session',
  ])
  expect(counted.connections).toBe(0)
  await visitPage(underTest, ini, COUNT, 1)
  expect(counted.connections).toBeGreaterThan(0)
})
