import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { onTestFinished } from 'vitest'
import type { Memcached } from '../../../lab/servers/memcached.ts'

/** Connects to a frozen server until the kernel drops what arrives, as a firewall would. */
export async function fillBacklog({ port }: Memcached): Promise<void> {
  const sockets: Socket[] = []
  onTestFinished(() => sockets.forEach((socket) => void socket.destroy()))
  for (let isFull = false; !isFull; ) {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    sockets.push(socket)
    const connected = new Promise<boolean>((resolve) => socket.once('connect', () => resolve(false)))
    isFull = await Promise.race([connected, sleep(500, true)])
  }
}

/** Writes items of all small sizes until a server that evicts nothing has no room for any of them. */
export async function fill({ port }: Memcached): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  let said = ''
  socket.on('data', (data) => {
    said += String(data)
    if (said.endsWith('MN\r\n')) socket.end()
  })
  // Large ones first: they take the memory that the small ones would share.
  const sizes = [
    ...Array(200).fill(500_000),
    ...Array(15_000).fill(10),
    ...Array(15_000).fill(40),
    ...Array(15_000).fill(80),
  ]
  const commands = sizes.map((size, i) => `set fill${i} 0 0 ${size} noreply\r\n${'x'.repeat(size)}\r\n`)
  socket.write(`${commands.join('')}mn\r\n`)
  await new Promise((resolve) => socket.on('close', resolve))
}
