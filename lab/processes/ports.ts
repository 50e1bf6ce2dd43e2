import { createServer } from 'node:net'

/** Below the ports that the system gives to outgoing connections. */
const FIRST = 10_000
const END = 32_768
const RANGES = 64
const PORTS_PER_RANGE = Math.floor((END - FIRST) / RANGES)

let range: Promise<number> | undefined
let turn = 0

/**
 * Finds ports of 127.0.0.1 on which nobody listens.
 *
 * They are from a range that only this process uses, so that no other lab gets the port of a server that has
 * just ended, or is not up yet. None is given twice before the whole range has been used.
 */
export async function freePorts(count: number): Promise<number[]> {
  range ??= claimRange()
  const first = await range
  const ports: number[] = []
  while (ports.length < count) {
    // The first one is the claim.
    const port = first + 1 + (turn++ % (PORTS_PER_RANGE - 1))
    if (await isFree(port)) ports.push(port)
  }
  return ports
}

/** Claims a range by listening on its first port until this process ends, however it ends. */
async function claimRange(): Promise<number> {
  const start = Math.floor(Math.random() * RANGES)
  for (let i = 0; i < RANGES; i++) {
    const first = FIRST + ((start + i) % RANGES) * PORTS_PER_RANGE
    const claim = await listen(first)
    claim?.unref()
    if (claim !== undefined) return first
  }
  throw new Error(`all ${RANGES} ranges of ports are in use by other labs`)
}

async function isFree(port: number): Promise<boolean> {
  const server = await listen(port)
  if (server === undefined) return false
  await new Promise((resolve) => server.close(resolve))
  return true
}

/** Listens on a port; undefined when it is taken. */
function listen(port: number): Promise<ReturnType<typeof createServer> | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
