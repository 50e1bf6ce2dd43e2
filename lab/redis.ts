import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Certificates } from './certificates.ts'
import { type ServerProcess, startServer } from './process.ts'

export interface RedisOptions {
  /** What `requirepass` asks of everybody; any characters. */
  readonly password?: string
  /** An ACL user with every right. Without `password` the nameless user is shut out. */
  readonly user?: { readonly name: string; readonly password: string }
  /** Opens a second port that speaks TLS only. */
  readonly tls?: Certificates
}

export interface Redis {
  readonly host: '127.0.0.1'
  readonly port: number
  readonly tlsPort?: number
  /** What redis-cli prints for a command, without the last line break; logged in as the strongest user. */
  cli(...args: string[]): string
  /** SIGSTOP makes a server that accepts and never answers. */
  signal(name: NodeJS.Signals): void
  stop(): Promise<void>
}

/** Starts a redis-server that keeps nothing on disk. */
export async function startRedis(options: RedisOptions = {}): Promise<Redis> {
  const server = await startServer({
    name: 'redis',
    ports: options.tls === undefined ? 1 : 2,
    command: ({ directory, ports: [port = 0, tlsPort = 0] }) => {
      const file = join(directory, 'redis.conf')
      writeFileSync(file, redisConf(options, directory, port, tlsPort).join('\n'))
      return { file: 'redis-server', args: [file] }
    },
  })
  const [port = 0, tlsPort] = server.ports
  return {
    host: '127.0.0.1',
    port,
    ...(tlsPort === undefined ? {} : { tlsPort }),
    cli: (...args) => runCli(server, options, args),
    signal: server.kill,
    stop: server.stop,
  }
}

function redisConf(options: RedisOptions, directory: string, port: number, tlsPort: number): string[] {
  const { password, user, tls } = options
  const lines = ['bind 127.0.0.1', `port ${port}`, 'save ""', 'appendonly no', `dir ${directory}`]
  if (password !== undefined) lines.push(`requirepass ${quote(password)}`)
  if (user !== undefined) {
    lines.push(`user ${quote(user.name)} on ${quote(`>${user.password}`)} ~* &* +@all`)
    if (password === undefined) lines.push('user default off')
  }
  if (tls !== undefined) {
    lines.push(`tls-port ${tlsPort}`, 'tls-auth-clients no')
    lines.push(`tls-ca-cert-file ${tls.ca}`, `tls-cert-file ${tls.certificate}`, `tls-key-file ${tls.key}`)
  }
  return lines
}

/** Every byte as \xHH: redis.conf gives meaning to more characters than one wants to remember. */
function quote(text: string): string {
  return `"${[...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}"`
}

function runCli(server: ServerProcess, { user, password }: RedisOptions, args: string[]): string {
  const login = user === undefined ? [] : ['--user', user.name]
  const secret = user?.password ?? password
  return execFileSync('redis-cli', ['-p', String(server.ports[0]), ...login, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...(secret === undefined ? {} : { REDISCLI_AUTH: secret }) },
  }).replace(/\n$/, '')
}
