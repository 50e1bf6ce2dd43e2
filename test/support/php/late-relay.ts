import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, onTestFinished } from 'vitest'

type Loss = 'the command is late' | 'the reply is lost'

/** A way to a server on which a command may arrive late, and a reply never. */
export interface LateRelay {
  readonly port: number
  /**
   * Closes the connection of the next client that sends a command with these words. The command is kept back, or the
   * server runs it, and `meanwhile` runs before the client knows. A test without such a command fails.
   */
  lose(words: string, loss: Loss, meanwhile?: () => unknown): void
  /** Sends what was kept back, and waits for the server's replies. */
  deliver(): Promise<void>
}

/** Starts a relay on 127.0.0.1 to this port; it stops with the test. */
export async function startLateRelay(target: number): Promise<LateRelay> {
  let next: { words: string; loss: Loss; meanwhile: () => unknown } | undefined
  const late: { server: Socket; command: Buffer }[] = []
  const open = new Set<Socket>()
  const relay = createServer((client) => {
    const server = connect(target, '127.0.0.1')
    for (const socket of [client, server]) {
      open.add(socket)
      socket.on('error', () => {})
    }
    let isKept = false
    client.on('data', (command) => {
      if (next === undefined || !command.includes(next.words)) return void server.write(command)
      const { loss, meanwhile } = next
      next = undefined
      isKept = true
      server.removeAllListeners('data')
      const lose = async () => {
        await meanwhile()
        client.destroy()
      }
      if (loss === 'the command is late') {
        late.push({ server, command })
        void lose()
      } else {
        server.once('data', () => void lose())
        server.write(command)
      }
    })
    server.on('data', (reply) => client.write(reply))
    client.on('close', () => isKept || server.destroy())
    server.on('close', () => client.destroy())
  }).listen(0, '127.0.0.1')
  await once(relay, 'listening')
  onTestFinished(() => {
    for (const socket of open) socket.destroy()
    relay.close()
    expect(next?.words, 'what no command of the test had').toBeUndefined()
  })
  return {
    port: (relay.address() as AddressInfo).port,
    lose: (words, loss, meanwhile = () => {}) => {
      next = { words, loss, meanwhile }
    },
    deliver: async () => {
      expect(late.length).toBeGreaterThan(0)
      for (const { server, command } of late.splice(0)) {
        server.write(command)
        await once(server, 'data')
      }
    },
  }
}
