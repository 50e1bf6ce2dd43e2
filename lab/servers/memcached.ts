import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startServer } from '../processes/server.ts'
import { words } from '../processes/words.ts'

export interface MemcachedOptions {
  /** Demands this name and password; with SASL, Memcached speaks the binary protocol only. */
  readonly sasl?: { readonly username: string; readonly password: string }
  /** Arguments for the command line, for example `-B binary`. */
  readonly more?: string
  /** The place of a server that has stopped. */
  readonly at?: { readonly port: number }
}

export interface Memcached {
  readonly host: '127.0.0.1'
  readonly port: number
  signal(name: NodeJS.Signals): void
  stop(): Promise<void>
}

/** Starts a memcached. */
export async function startMemcached({ sasl, more = '', at }: MemcachedOptions = {}): Promise<Memcached> {
  const server = await startServer({
    name: 'memcached',
    ports: at === undefined ? 1 : [at.port],
    command: ({ directory, ports: [port] }) => {
      if (sasl !== undefined) writeSaslUsers(directory, sasl.username, sasl.password)
      return {
        file: 'memcached',
        args: [
          ...words(`-l 127.0.0.1 -p ${port} -U 0`),
          ...(process.getuid?.() === 0 ? ['-u', 'root'] : []),
          ...(sasl === undefined ? [] : ['-S']),
          ...(more === '' ? [] : words(more)),
        ],
        env: { ...process.env, SASL_CONF_PATH: directory },
      }
    },
  })
  return { host: '127.0.0.1', port: server.ports[0] as number, signal: server.kill, stop: server.stop }
}

// Debian's memcached has no password file of its own (no --enable-sasl-pwdb); it reads libsasl's database.
function writeSaslUsers(directory: string, username: string, password: string): void {
  const database = join(directory, 'users')
  writeFileSync(join(directory, 'memcached.conf'), `mech_list: plain\nsasldb_path: ${database}\n`)
  execFileSync('saslpasswd2', ['-p', '-c', '-a', 'memcached', '-f', database, username], { input: password })
}
