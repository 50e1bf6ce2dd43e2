import { CANARY, type Service } from '../../../lab/bindings.ts'
import type { MemcachedOptions } from '../../../lab/servers/memcached.ts'
import { startRedisService } from './managed.ts'
import { PREFIX, serviceOf, startMemcachedService } from './managed-memcached.ts'

/** What answers are spoiled: those to the login, and those that take and release a lock. */
export const REPLIES = ['login', 'take', 'release'] as const
export type Reply = (typeof REPLIES)[number]

/** A server whose answers are spoiled on their way. */
export interface SpoiledServer {
  readonly port: number
  /** The service, at the port of a relay. */
  serviceAt(port: number): Service
  isLocked(id: string): Promise<boolean>
  unlock(id: string): unknown
}

export interface SpoiledProtocol {
  start(): Promise<SpoiledServer>
  /** The replies of one page, by how they begin. */
  readonly replies: Readonly<Record<Reply, (reply: Buffer) => boolean>>
  /** What is not of the protocol, lies about a length, or is not what was asked. */
  readonly garbage: Readonly<Record<string, string>>
  /** Whether no page that was right leaves a lock, even a free one, whatever the answers were. */
  readonly leavesNoLock?: boolean
}

async function startRedis(): Promise<SpoiledServer> {
  const { redis, service } = await startRedisService()
  const key = (id: string) => `PHPREDIS_SESSION:${id}_LOCK`
  return {
    port: redis.port,
    serviceAt: (port) => ({ ...service, credentials: { ...service.credentials, port } }),
    isLocked: async (id) => redis.cli('EXISTS', key(id)) === '1',
    unlock: (id) => redis.cli('DEL', key(id)),
  }
}

async function startMemcached(options: MemcachedOptions): Promise<SpoiledServer> {
  const { server, client } = await startMemcachedService(options)
  const key = (id: string) => `${PREFIX}lock.${id}`
  return {
    port: server.port,
    serviceAt: (port) => serviceOf({ port }, options).service,
    isLocked: async (id) => (await client.get(key(id))) !== undefined,
    unlock: (id) => client.delete(key(id)),
  }
}

const FOR_REDIS: Readonly<Record<string, string>> = {
  nothing: '',
  'an empty line': '\r\n',
  'another protocol': 'HTTP/1.1 400 Bad Request\r\n\r\n',
  'a TLS alert': '\x15\x03\x03\x00\x02\x02\x28',
  'an unknown type': '~1\r\n:1\r\n',
  'a simple string': '+PONG\r\n',
  'a number': ':1\r\n',
  'no number': ':one\r\n',
  'a number with more': ':1 2\r\n',
  'a number beyond 64 bits': ':99999999999999999999\r\n',
  null: '$-1\r\n',
  'a null array': '*-1\r\n',
  'an empty array': '*0\r\n',
  'a negative length': '$-2\r\n',
  'a negative count': '*-2\r\n',
  'a large negative length': '$-9223372036854775808\r\n',
  'the largest length': '$9223372036854775807\r\nx\r\n',
  'a length that is too large': '*2\r\n$16\r\nabc\r\n:1\r\n',
  'a length that is too small': '*2\r\n$1\r\nabc\r\n:1\r\n',
  'the largest count': '*9223372036854775807\r\n',
  'a count that is too large': '*1000\r\n:1\r\n',
  'deep nesting': '*1\r\n'.repeat(100_000),
  'many elements': `*900000\r\n${':1\r\n'.repeat(900_000)}`,
  'a line without an end': '+'.padEnd(1 << 20, 'x'),
  'an error in an array': '*2\r\n-ERR no\r\n:1\r\n',
  'another token': '*3\r\n$16\r\n0123456789abcdef\r\n:1\r\n$10\r\nwho|s:1:"x\r\n',
  'a token alone': '*1\r\n$16\r\n0123456789abcdef\r\n',
  'two answers': '+OK\r\n+OK\r\n',
  'more than memory_limit': `$60000000\r\n${'x'.repeat(60_000_000)}`,
}

/** A binary answer: code, status, extras, value; `null` lets the number be that of no command. */
const answer = (code: number, status: number, length: number, value = '') => {
  const header = Buffer.alloc(24)
  header.writeUInt8(0x81, 0)
  header.writeUInt8(code, 1)
  header.writeUInt16BE(status, 6)
  header.writeUInt32BE(length, 8)
  return header.toString('latin1') + value
}

const FOR_MEMCACHED: Readonly<Record<string, string>> = {
  nothing: '',
  'an empty line': '\r\n',
  'another protocol': 'HTTP/1.1 400 Bad Request\r\n\r\n',
  'a TLS alert': '\x15\x03\x03\x00\x02\x02\x28',
  'an error': 'ERROR\r\n',
  'an error of a client': 'CLIENT_ERROR bad data chunk\r\n',
  'a line without an end': 'x'.repeat(1 << 20),
  'a RESP error': '-ERR unknown command\r\n',
}

/** The protocols that the managed handler speaks. */
export const SPOILED_PROTOCOLS: Readonly<Record<string, SpoiledProtocol>> = {
  Redis: {
    start: startRedis,
    replies: {
      login: (reply) => reply.toString('latin1', 0, 3) === '+OK',
      take: (reply) => reply.toString('latin1', 0, 2) === '*3',
      release: (reply) => reply.toString('latin1', 0, 2) === '*2',
    },
    garbage: FOR_REDIS,
    leavesNoLock: true,
  },
  'Memcached, meta commands': {
    start: () => startMemcached({}),
    replies: {
      login: (reply) => reply.toString('latin1', 0, 7) === 'VERSION',
      take: (reply) => /^STORED\r\n(VA|EN)/.test(reply.toString('latin1', 0, 20)),
      // Memcached 1.6.14 writes two spaces.
      release: (reply) => /^(HD +O\d+\r\n)?(STORED|HD +O\d+)\r\nHD +O\d+\r\n$/.test(reply.toString('latin1')),
    },
    garbage: {
      ...FOR_MEMCACHED,
      'no number': 'STORED\r\nVA 10 c1\r\n0123456789\r\nEN\r\n',
      'another number': 'STORED\r\nVA 10 c1 O1\r\n0123456789\r\nVA 10 c1 O2\r\n0123456789\r\n',
      'no length': 'STORED\r\nVA c1 O1\r\n',
      'a negative length': 'STORED\r\nVA -1 c1 O1\r\n',
      'the largest length': 'STORED\r\nVA 9223372036854775807 c1 O1\r\n',
      'the length of another value': 'STORED\r\nVA 3 c1 O1\r\n0123456789\r\nEN\r\n',
      'no data': 'STORED\r\nEN\r\nEN\r\n',
      'a server that fails': 'SERVER_ERROR out of order\r\nSERVER_ERROR out of order\r\nSERVER_ERROR x\r\n',
      'more answers': 'STORED\r\nSTORED\r\nSTORED\r\nSTORED\r\nSTORED\r\n',
    },
  },
  'Memcached, a login (SASL)': {
    start: () => startMemcached({ sasl: { username: 'app', password: CANARY } }),
    replies: {
      login: (reply) => reply[1] === 0x21,
      take: (reply) => reply[1] === 0x02,
      release: (reply) => reply[1] === 0x1c || reply[1] === 0x03,
    },
    garbage: {
      ...FOR_MEMCACHED,
      'a request': answer(0, 0, 0).replace('\x81', '\x80'),
      'another command': answer(0x0a, 0, 0),
      'another number':
        answer(0x02, 0, 0) + answer(0, 0, 14, '\0\0\0\x000123456789') + answer(0, 0, 4, '\0\0\0\0'),
      'a length that is too large': answer(0x02, 0, 1000),
      'the largest length': answer(0x02, 0, 0xffffffff),
      'a refused login': answer(0x21, 0x20, 0),
      'an unknown status': answer(0x21, 0x99, 0),
      'more of a login': answer(0x21, 0x21, 0),
    },
  },
}
