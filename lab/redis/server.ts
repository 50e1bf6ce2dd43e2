import { execFile, execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { debian13Missing, debian13Program } from '../debian13.ts'
import type { Program, Unavailable } from '../processes/program.ts'
import { startServer } from '../processes/server.ts'
import { dataIn, namedPorts, portNames, quote, redisConf, socketIn, strongestLogin } from './conf.ts'
import type { Redis, RedisOptions } from './options.ts'

const machineRedis: Program = (args, env = process.env) => ({ file: 'redis-server', args, env })

/** The valkey-server of Debian 13 that scripts/debian13 unpacks, or why it cannot be used. */
export function debian13Valkey(): Program | Unavailable {
  return debian13Missing('valkey-server') ?? debian13Program('valkey-server')
}

/** Starts a Redis, which keeps nothing on disk unless told to. */
export async function startRedis(options: RedisOptions = {}): Promise<Redis> {
  const { at } = options
  const names = portNames(options)
  const server = await startServer({
    name: 'redis',
    ports: at === undefined ? names.length : names.map((name) => at[name] ?? 0),
    command: (place) => {
      const file = join(place.directory, 'redis.conf')
      writeFileSync(file, redisConf(options, place))
      return (options.program ?? machineRedis)([file, ...(options.sentinel ? ['--sentinel'] : [])])
    },
  })
  const ports = namedPorts(options, server.ports)
  const { user, password } = strongestLogin(options)
  const login = ['-p', String(ports.port), ...(user === undefined ? [] : ['--user', user])]
  const env = { PATH: process.env.PATH, ...(password === undefined ? {} : { REDISCLI_AUTH: password }) }
  return {
    host: '127.0.0.1',
    ...ports,
    directory: dataIn(options, server.directory),
    ...(options.socket ? { socket: socketIn(server.directory) } : {}),
    cli: (...args) =>
      execFileSync('redis-cli', [...login, ...args], { encoding: 'utf8', env }).replace(/\n$/, ''),
    batch: async (commands) => {
      if (commands.length === 0) return []
      const running = promisify(execFile)('redis-cli', login, { env, maxBuffer: Number.POSITIVE_INFINITY })
      running.child.stdin?.end(commands.map((command) => command.map(quote).join(' ')).join('\n'))
      return (await running).stdout.replace(/\n$/, '').split('\n')
    },
    signal: server.kill,
    stop: server.stop,
  }
}
