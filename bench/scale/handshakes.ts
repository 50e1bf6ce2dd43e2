import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { startRedis } from '../../lab/redis/server.ts'
import { makeCertificates } from '../../lab/servers/certificates.ts'
import { median } from '../parts/medians.ts'
import { PASSWORD, storeMicroseconds } from './info.ts'

/** What a new connection with its login takes of the store's processor, where nothing else happens. */
export interface HandshakeCost {
  readonly protocol: 'plain' | 'TLSv1.2' | 'TLSv1.3'
  readonly storeMicroseconds: number
  readonly storeSpread: readonly [number, number]
}

const [ROUNDS, CONNECTIONS] = [5, 300]

export async function measureHandshakes(protocol: HandshakeCost['protocol']): Promise<HandshakeCost> {
  const tls = makeCertificates()
  const redis = await startRedis({ password: PASSWORD, tls })
  const ca = readFileSync(tls.ca)
  const open = async (): Promise<Socket> => {
    if (protocol === 'plain') return connect(redis.port, redis.host)
    const versions = { minVersion: protocol, maxVersion: protocol }
    const socket = connectTls({
      port: redis.tlsPort,
      host: redis.host,
      servername: 'localhost',
      ca,
      ...versions,
    })
    await once(socket, 'secureConnect')
    return socket
  }
  try {
    const rounds = []
    for (let round = 0; round < ROUNDS; round++) {
      const before = storeMicroseconds([redis])
      const sockets: Socket[] = []
      while (sockets.length < CONNECTIONS) {
        const socket = await open()
        sockets.push(socket)
        socket.write(`AUTH ${PASSWORD}\r\n`)
        await once(socket, 'data')
      }
      rounds.push((storeMicroseconds([redis]) - before) / CONNECTIONS)
      for (const socket of sockets) socket.destroy()
    }
    return {
      protocol,
      storeMicroseconds: median(rounds),
      storeSpread: [Math.min(...rounds), Math.max(...rounds)],
    }
  } finally {
    await redis.stop()
    tls.remove()
  }
}
