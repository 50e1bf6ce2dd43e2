import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Service, vcapServices } from '../lab/bindings.ts'
import { machinePhp } from '../lab/php/installed.ts'
import { makeScratch } from '../lab/processes/scratch.ts'
import { startRedisCluster } from '../lab/redis/cluster.ts'
import { startRedis } from '../lab/redis/server.ts'
import { startMemcached } from '../lab/servers/memcached.ts'
import { startBenchFpm } from './fpm.ts'
import { askNumber, measureSpeed, newVisitors } from './load.ts'
import { PASSWORD } from './setups.ts'
import { print } from './table.ts'

// How long `php-sessions copy` takes for 100,000 sessions of 1 KB, alone and while php-fpm serves pages of the app.

const COUNT = 100_000
const ROOT = join(import.meta.dirname, '..')
const PAGES = {
  page: `session_start(); $_SESSION['pad'] ??= str_repeat('x', 1000); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;`,
}
const FILL = `local pad = string.rep('x', 1000) for i = 1, 10000 do redis.call('SETEX', KEYS[1] .. ARGV[1] .. i, 3600, 'pad|s:1000:"' .. pad .. '";') end`

/** A place with sessions, or for them. */
interface Place {
  readonly name: string
  readonly service?: Service
  readonly directory?: string
  fill(): void
  stop(): Promise<void>
}

type Start = (name: string) => Promise<Place>

const redis: Start = async (name) => {
  const server = await startRedis({ password: PASSWORD })
  return {
    name: 'one Redis',
    service: {
      name,
      tags: ['redis'],
      credentials: { host: server.host, port: server.port, password: PASSWORD },
    },
    fill: () => {
      for (let i = 0; i < COUNT / 10_000; i++) server.cli('EVAL', FILL, '1', 'PHPREDIS_SESSION:', `s${i}x`)
    },
    stop: server.stop,
  }
}

const cluster: Start = async (name) => {
  const servers = await startRedisCluster({ password: PASSWORD, replicas: 0 })
  const nodes = servers.nodes.map(({ host, port }) => `${host}:${port}`).join()
  return {
    name: 'a cluster of three masters',
    service: { name, tags: ['redis'], credentials: { 'cluster.nodes': nodes, password: PASSWORD } },
    fill: () => {},
    stop: servers.stop,
  }
}

const memcached: Start = async (name) => {
  const server = await startMemcached({ more: '-m 512' })
  return {
    name: 'one Memcached',
    service: { name, tags: ['memcached'], credentials: { host: server.host, port: server.port } },
    fill: () => {
      const code = `$s = stream_socket_client("tcp://127.0.0.1:${server.port}"); $pad = str_repeat("x", 1000);
        for ($i = 0; $i < ${COUNT}; $i++) { $d = "pad|s:1000:\\"$pad\\";"; fwrite($s, "set memc.sess.key.s$i 0 3600 " . strlen($d) . " noreply\\r\\n$d\\r\\n"); }
        fwrite($s, "version\\r\\n"); fgets($s);`
      execFileSync('php', ['-n', '-r', code])
    },
    stop: server.stop,
  }
}

const files: Start = async () => {
  const directory = makeScratch('files')
  return {
    name: 'files',
    directory,
    fill: () => {
      for (let i = 0; i < COUNT; i++)
        writeFileSync(join(directory, `sess_s${i}`), `pad|s:1000:"${'x'.repeat(1000)}";`)
    },
    stop: async () => {},
  }
}

async function measure(startFrom: Start, startTo: Start, isServing = false) {
  const from = await startFrom('old')
  const to = await startTo('new-redis-sessions')
  try {
    from.fill()
    const services = [from.service, to.service].filter((service) => service !== undefined)
    const env = { VCAP_SERVICES: vcapServices(...services) }
    let served = 0
    let isOver = false
    const fpm = isServing
      ? await startBenchFpm({
          php: machinePhp(),
          lines: () => [],
          env: { ...env, PHP_SESSIONS_PREVIOUS: 'old' },
          pages: PAGES,
        })
      : undefined
    const visitors = fpm === undefined ? [] : await newVisitors(fpm.few('page'), 50)
    const load = async () => {
      while (fpm !== undefined && !isOver) {
        await measureSpeed(fpm.few('page'), visitors, 50, 4)
        served += 50
      }
    }
    const serving = load()
    const answer = await copy(from.directory ?? 'old', env)
    isOver = true
    await serving
    const missing =
      fpm === undefined
        ? 0
        : (await Promise.all(visitors.map((cookie) => askNumber(fpm.few('page'), cookie)))).filter(
            (n) => n < 2,
          ).length
    await fpm?.stop()
    const name = `${from.name} to ${to.name}${isServing ? ', while serving' : ''}`
    print(
      name,
      String(answer.copied),
      `${answer.seconds} s`,
      isServing ? `${(served / answer.seconds).toFixed(0)} pages/s` : '',
      isServing ? `${missing} logged out` : '',
    )
  } finally {
    await Promise.all([from.stop(), to.stop()])
  }
}

async function copy(from: string, env: Readonly<Record<string, string>>) {
  const directory = makeScratch('copy')
  mkdirSync(join(directory, 'ini'))
  const program = spawn(
    join(ROOT, 'dist/php-sessions'),
    ['copy', '--fpm', 'none', '--json', '--from', from],
    {
      cwd: directory,
      env: { PATH: process.env.PATH, PHP_INI_SCAN_DIR: join(directory, 'ini'), ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  let text = ''
  program.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await once(program, 'close')
  return JSON.parse(text) as { copied: number; seconds: number }
}

print(`${COUNT} sessions of 1 KB`, 'copied', 'time')
await measure(redis, redis)
await measure(redis, redis, true)
await measure(redis, cluster)
await measure(memcached, redis)
await measure(files, redis)
