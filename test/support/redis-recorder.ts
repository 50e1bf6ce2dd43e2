import { createServer, type Socket } from 'node:net'

/** What a client that keeps sessions has said to a server. */
export interface Heard {
  readonly auth: readonly string[]
  readonly database: string
  /** The first key that it read. */
  readonly key: string | undefined
}

/** A server that answers every command as if all were well, and says what it has heard. */
export interface RedisRecorder {
  readonly port: number
  /** What was heard since the last call; undefined if nobody connected. */
  take(): Heard | undefined
  stop(): void
}

/** Starts a recorder on this address of the loopback. */
export async function startRedisRecorder(host: string): Promise<RedisRecorder> {
  const commands: string[][] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => {}))
    let pending = Buffer.alloc(0)
    socket.on('data', (data) => {
      pending = Buffer.concat([pending, data])
      for (;;) {
        const read = readCommand(pending)
        if (read === undefined) return
        pending = pending.subarray(read.length)
        commands.push([...read.words])
        socket.write(answer(read.words[0]?.toUpperCase() ?? ''))
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    take: () => {
      const heard = commands.splice(0)
      const find = (name: string) => heard.find(([command]) => command?.toUpperCase() === name)
      if (heard.length === 0) return undefined
      return {
        auth: find('AUTH')?.slice(1) ?? [],
        database: find('SELECT')?.[1] ?? '0',
        key: (find('GET') ?? find('GETEX'))?.[1],
      }
    },
    stop: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

function answer(command: string): string {
  if (command === 'GET' || command === 'GETEX') return '$-1\r\n'
  if (command === 'PING') return '+PONG\r\n'
  return command.startsWith('EVAL') || command === 'DEL' ? ':1\r\n' : '+OK\r\n'
}

/** Reads one command of RESP; undefined if it is not whole yet. */
function readCommand(
  data: Buffer,
): { readonly words: readonly string[]; readonly length: number } | undefined {
  let at = 0
  const line = () => {
    const end = data.indexOf('\r\n', at)
    if (end === -1) return undefined
    const text = data.toString('latin1', at, end)
    at = end + 2
    return text
  }
  const count = line()
  if (count === undefined) return undefined
  const words: string[] = []
  for (let i = 0; i < Number(count.slice(1)); i++) {
    const length = Number(line()?.slice(1) ?? Number.NaN)
    if (Number.isNaN(length) || at + length + 2 > data.length) return undefined
    words.push(data.toString('utf8', at, at + length))
    at += length + 2
  }
  return { words, length: at }
}
