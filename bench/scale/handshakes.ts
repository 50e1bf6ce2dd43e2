import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { startRedis } from '../../lab/redis/server.ts'
import { makeCertificates } from '../../lab/servers/certificates.ts'
import type { Run, Table } from '../benchmark.ts'
import { storeMicroseconds } from '../parts/info.ts'
import { byMeasure, shorten } from '../parts/medians.ts'
import { PASSWORD } from '../parts/setups.ts'
import type { Measure } from './results.ts'

export const HANDSHAKES = ['without TLS', 'TLSv1.2', 'TLSv1.3'] as const

/** What a new connection with its login takes of the store's processor, where nothing else happens. */
export const measureHandshakes: Measure<(typeof HANDSHAKES)[number]> = async (protocol, run) => {
  const [rounds, connections] = [run.pick(3, 5), run.pick(200, 300)]
  const tls = makeCertificates()
  const redis = await startRedis({ password: PASSWORD, tls })
  const ca = readFileSync(tls.ca)
  const open = async (): Promise<Socket> => {
    if (protocol === 'without TLS') return connect(redis.port, redis.host)
    const versions = { minVersion: protocol, maxVersion: protocol }
    const at = { port: redis.tlsPort, host: redis.host, servername: 'localhost' }
    const socket = connectTls({ ...at, ca, ...versions })
    await once(socket, 'secureConnect')
    return socket
  }
  try {
    const costs = []
    for (let round = 0; round < rounds; round++) {
      const before = storeMicroseconds([redis])
      const sockets: Socket[] = []
      while (sockets.length < connections) {
        const socket = await open()
        sockets.push(socket)
        socket.write(`AUTH ${PASSWORD}\r\n`)
        await once(socket, 'data')
      }
      costs.push({ 'store µs': (storeMicroseconds([redis]) - before) / connections })
      for (const socket of sockets) socket.destroy()
    }
    return byMeasure(costs)
  } finally {
    await redis.stop()
    tls.remove()
  }
}

/** What the server's part of a TLS handshake costs most: a signature. */
export function measureSignatures(run: Run): Table {
  const seconds = run.pick('1', '2')
  const text = execFileSync('openssl', ['speed', '-mr', '-seconds', seconds, 'rsa2048', 'ecdsap256'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  // It prints how many it does in a second.
  const row = (line: RegExp) => ({ µs: [shorten(1e6 / Number(line.exec(text)?.[1]))] })
  return { 'RSA, 2,048 bits': row(/^\+F2:\d+:2048:([\d.e-]+)/m), ECDSA: row(/^\+F4:\d+:256:([\d.e-]+)/m) }
}
