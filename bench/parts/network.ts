import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type ServerProcess, startServer } from '../../lab/processes/server.ts'
import { median } from './medians.ts'

const PINGS = 100

/** Starts relays to these ports that make a round trip longer by whole milliseconds; gives the ports of the relays. */
export function startRelays(
  milliseconds: number,
  targets: readonly number[],
): Promise<Pick<ServerProcess, 'ports' | 'stop'>> {
  return startServer({
    name: 'relay',
    ports: targets.length,
    command: ({ ports }) => {
      const pairs = ports.map((port, i) => `${port}:${targets[i]}`)
      const args = ['--import', 'tsx', join(import.meta.dirname, 'relay.ts'), String(milliseconds), ...pairs]
      return { file: process.execPath, args, cwd: join(import.meta.dirname, '../..') }
    },
  })
}

/** The milliseconds of a round trip to an idle Redis; it answers PING also without a login, by an error. */
export async function measureRoundTrip(port: number): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  const took: number[] = []
  for (let i = 0; i < PINGS; i++) {
    const before = performance.now()
    socket.write('PING\r\n')
    await once(socket, 'data')
    took.push(performance.now() - before)
  }
  socket.destroy()
  return median(took)
}
