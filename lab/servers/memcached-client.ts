import { connect } from 'node:net'
import type { MemcachedOptions } from './memcached.ts'

/** What a server has under a key. */
export interface MemcachedItem {
  readonly value: string
  readonly flags: number
}

const CODES = { get: 0x00, set: 0x01, delete: 0x04, flush: 0x08, login: 0x21 } as const
const HEADER_BYTES = 24

/** Speaks the binary protocol, which every memcached of these tests understands; each call on a connection of its own. */
export function memcachedClient(port: number, { sasl }: Pick<MemcachedOptions, 'sasl'> = {}) {
  const login =
    sasl === undefined ? [] : [request('login', 'PLAIN', '', `\0${sasl.username}\0${sasl.password}`)]
  const run = async (command: Buffer): Promise<{ status: number; extras: Buffer; value: string }> => {
    const socket = connect(port, '127.0.0.1')
    socket.write(Buffer.concat([...login, command]))
    let received = Buffer.alloc(0)
    try {
      let left = login.length + 1
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        received = Buffer.concat([received, chunk])
        while (received.length >= HEADER_BYTES) {
          const [extras, status, length] = [
            received.readUInt8(4),
            received.readUInt16BE(6),
            received.readUInt32BE(8),
          ]
          if (received.length < HEADER_BYTES + length) break
          const body = received.subarray(HEADER_BYTES, HEADER_BYTES + length)
          received = received.subarray(HEADER_BYTES + length)
          left--
          if (left === 0)
            return { status, extras: body.subarray(0, extras), value: body.toString('latin1', extras) }
        }
      }
      throw new Error('the server closed the connection')
    } finally {
      socket.destroy()
    }
  }
  return {
    get: async (key: string): Promise<MemcachedItem | undefined> => {
      const { status, extras, value } = await run(request('get', key))
      return status === 0 ? { value, flags: extras.readUInt32BE(0) } : undefined
    },
    set: async (key: string, value: string, seconds: number): Promise<void> => {
      const extras = Buffer.alloc(8)
      extras.writeUInt32BE(seconds, 4)
      await run(request('set', key, extras.toString('latin1'), value))
    },
    delete: async (key: string): Promise<void> => void (await run(request('delete', key))),
    flush: async (): Promise<void> => void (await run(request('flush', ''))),
    keys: () => listKeys(port),
  }
}

/** The keys of a server that understands the text protocol. */
async function listKeys(port: number): Promise<readonly string[]> {
  const socket = connect(port, '127.0.0.1')
  // By the hash table: a walk by age misses those that are moved meanwhile.
  socket.write('lru_crawler metadump hash\r\n')
  let said = ''
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    said += chunk.toString('latin1')
    // The server's own walk through its items may be under way.
    if (said === 'BUSY currently processing crawler request\r\n') return listKeys(port)
    if (said.endsWith('END\r\n')) break
  }
  if (!said.endsWith('END\r\n')) throw new Error(`the server lists no keys: ${said}`)
  return [...said.matchAll(/^key=(\S+)/gm)].map(([, key = '']) => decodeURIComponent(key))
}

function request(name: keyof typeof CODES, key: string, extras = '', value = ''): Buffer {
  const body = Buffer.from(`${extras}${key}${value}`, 'latin1')
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt8(0x80, 0)
  header.writeUInt8(CODES[name], 1)
  header.writeUInt16BE(key.length, 2)
  header.writeUInt8(extras.length, 4)
  header.writeUInt32BE(body.length, 8)
  return Buffer.concat([header, body])
}
