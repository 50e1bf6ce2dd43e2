import { describe, expect, onTestFinished, test } from 'vitest'
import { startMemcached } from '../../../lab/servers/memcached.ts'
import { type Answers, always, type Reply, startResponder, to } from '../../../lab/servers/responder.ts'
import { diagnose, makeMachine } from '../../support/doctor/machine.ts'
import { MEMCACHED_SERVERS } from '../../support/php/managed-memcached.ts'

// What the managed handler needs of a Memcached, tried by the doctor. The same bytes are sent with each PHP.

/** For a command of Memcached's binary protocol, by its code. */
const binary =
  (code: number, reply: Reply): Answers =>
  (command) =>
    command.startsWith(`\x80${String.fromCharCode(code)}`) ? reply : undefined
const either =
  (first: Answers, second: Answers): Answers =>
  (command, isLine) =>
    first(command, isLine) ?? second(command, isLine)

/** As a Memcached before 1.6.13, which has no meta commands. */
const EARLIER = to(/^VERSION$/, `VERSION 1.5.22\r\n${'ERROR\r\n'.repeat(4)}`)

/** What a server or a proxy in front of a real Memcached may not do; and the command that the doctor names. */
const UNFIT: Readonly<Record<string, readonly [Answers, command: string]>> = {
  'does not answer append': [either(to(/^APPEND$/, 'SILENCE'), binary(0x0e, 'SILENCE')), 'append'],
  'closes at cas': [either(to(/^CAS$/, 'CLOSE'), binary(0x03, 'CLOSE')), 'cas'],
  'closes at delete': [either(to(/^MD$/, 'CLOSE'), binary(0x04, 'CLOSE')), 'delete'],
  'deletes without the number': [to(/^MD$/, 'HD\r\nEN\r\nEN\r\n'), 'delete'],
  'keeps nothing': [to(/^ADD$/, 'STORED\r\nEN\r\nEN\r\n'), 'add'],
  'does not know append': [to(/^APPEND$/, 'ERROR\r\n'), 'append'],
}

const DOES_ALL = 'the server does all that the managed handler needs'

describe('of a Memcached for the managed handler', () => {
  test.each(Object.entries(UNFIT))('a proxy that %s is named', async (name, [answers, command]) => {
    const server = await startMemcached()
    onTestFinished(server.stop)
    const speaks = name.includes('closes') ? [answers, either(EARLIER, answers)] : [answers]
    for (const says of speaks) {
      const responder = await startResponder(says, { behind: server.port })
      onTestFinished(responder.stop)
      const { out, status } = await diagnose(await machineAt(responder.port))
      expect(
        [...out.matchAll(/^ *✗.*\(([a-z0-9.-]+)\)$/gm)].map(([, id]) => id),
        out,
      ).toEqual(['memcached.refused'])
      expect(status).toBe(1)
      expect(out).toContain(`does not do what the managed handler needs: ${command}: `)
    }
  })

  test.each([
    ...MEMCACHED_SERVERS.map(([name, which]) => [name, which, always(undefined)] as const),
    ['a server without meta commands', {}, EARLIER] as const,
  ])('%s does all', async (_, which, answers) => {
    const server = await startMemcached(which)
    onTestFinished(server.stop)
    const responder = await startResponder(answers, { behind: server.port })
    onTestFinished(responder.stop)
    const { out, status } = await diagnose(await machineAt(responder.port, which.sasl), '-v')
    expect(out).toContain(DOES_ALL)
    expect({ out, status }).toMatchObject({ status: 0 })
  })
})

function machineAt(port: number, login: Readonly<Record<string, string>> = {}) {
  const credentials = { servers: `127.0.0.1:${port}`, ...login }
  return makeMachine({
    services: [{ name: 'app-memcached-sessions', credentials }],
    env: { PHP_SESSIONS_HANDLER: 'managed' },
    app: 'zend_extension = opcache\n',
  })
}
