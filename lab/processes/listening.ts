import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Who listens on a port: these processes, another one, or nobody yet. */
export type Listener = 'own' | 'other' | 'nobody'

/** Tells whose socket takes the connections to a port of 127.0.0.1. Only `own` proves that our server is up. */
export function findListener(port: number, processes: () => readonly number[]): Listener {
  const sockets = listeningSockets(port)
  if (sockets.length === 0) return 'nobody'
  return processes().some((pid) => heldSockets(pid).some((socket) => sockets.includes(socket)))
    ? 'own'
    : 'other'
}

/** The addresses at which a connection to 127.0.0.1 arrives, as the kernel prints them: itself, 0.0.0.0 and ::. */
const ADDRESSES = ['0100007F', '0'.repeat(8), '0'.repeat(32)]
const LISTENS = '0A'

/** Sockets as /proc/PID/fd names them. */
function listeningSockets(port: number): readonly string[] {
  const at = port.toString(16).toUpperCase().padStart(4, '0')
  const places = ADDRESSES.map((address) => `${address}:${at}`)
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    readFileSync(table, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local = '', , state]) => state === LISTENS && places.includes(local))
      .map((fields) => `socket:[${fields[9]}]`),
  )
}

function heldSockets(pid: number): readonly string[] {
  const directory = `/proc/${pid}/fd`
  try {
    return readdirSync(directory).map((name) => readLinkIfThere(`${directory}/${name}`))
  } catch {
    return [] // it has ended
  }
}

function readLinkIfThere(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return '' // it has been closed
  }
}
