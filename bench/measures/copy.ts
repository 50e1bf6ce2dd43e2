import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Service, vcapServices } from '../../lab/bindings.ts'
import { machinePhp } from '../../lab/php/installed.ts'
import { makeScratch } from '../../lab/processes/scratch.ts'
import { startRedisCluster } from '../../lab/redis/cluster.ts'
import { startRedis } from '../../lab/redis/server.ts'
import { startMemcached } from '../../lab/servers/memcached.ts'
import { type Benchmark, type Cell, countSteps } from '../benchmark.ts'
import { startBenchFpm } from '../parts/fpm.ts'
import { askNumber, measureSpeed, newVisitors } from '../parts/load.ts'
import { PASSWORD, storeNames } from '../parts/setups.ts'

// How long `php-sessions copy` takes for 100,000 sessions of 1 KB, alone and while php-fpm serves pages of the app.

const COUNT = 100_000
const ROOT = join(import.meta.dirname, '../..')
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

const CASES: readonly (readonly [from: Start, to: Start, isServing: boolean])[] = [
  [redis, redis, false],
  [redis, redis, true],
  [redis, cluster, false],
  [memcached, redis, false],
  [files, redis, false],
]

export const copying: Benchmark = async (run) => {
  const rounds = run.pick(1, 3)
  const step = countSteps(run, rounds * CASES.length)
  const rows: Record<string, Record<string, Cell>> = {}
  for (let round = 0; round < rounds; round++)
    for (const [from, to, isServing] of CASES) {
      const { name, figures } = await measure(from, to, isServing)
      const before = rows[name] ?? {}
      rows[name] = Object.fromEntries(
        Object.entries(figures).map(([what, value]) => [
          what,
          [...((before[what] as readonly number[]) ?? []), value],
        ]),
      )
      step()
    }
  return {
    versions: { php: machinePhp().name, store: await storeNames() },
    conditions: [
      `\`php-sessions copy\` of ${COUNT.toLocaleString('en')} sessions of 1 KB; all servers and PHP on the same machine`,
      'while serving: php-fpm with the managed handler and PHP_SESSIONS_PREVIOUS, 50 visitors, 4 requests at a time',
    ],
    tables: { copying: rows },
  }
}

async function measure(startFrom: Start, startTo: Start, isServing: boolean) {
  const from = await startFrom('old')
  const to = await startTo('new-redis-sessions')
  const services = [from.service, to.service].filter((service) => service !== undefined)
  const env = { VCAP_SERVICES: vcapServices(...services) }
  const name = `${from.name} to ${to.name}${isServing ? ', while serving' : ''}`
  try {
    from.fill()
    const copyAll = async () => {
      const { copied, seconds } = await copy(from.directory ?? 'old', env)
      return { seconds, copied }
    }
    return { name, figures: await (isServing ? whileServing(env, copyAll) : copyAll()) }
  } finally {
    await Promise.all([from.stop(), to.stop()])
  }
}

/** Lets visitors come meanwhile; counts their pages, and who was logged out. */
async function whileServing(
  env: Readonly<Record<string, string>>,
  run: () => Promise<{ readonly seconds: number; readonly copied: number }>,
): Promise<Record<string, number>> {
  const fpm = await startBenchFpm({
    php: machinePhp(),
    lines: () => [],
    env: { ...env, PHP_SESSIONS_PREVIOUS: 'old' },
    pages: PAGES,
  })
  try {
    const visitors = await newVisitors(fpm.few('page'), 50)
    let [served, isOver] = [0, false]
    const load = async () => {
      while (!isOver) {
        await measureSpeed(fpm.few('page'), visitors, 50, 4)
        served += 50
      }
    }
    const serving = load()
    const figures = await run().finally(() => {
      isOver = true
    })
    await serving
    const counts = await Promise.all(visitors.map((cookie) => askNumber(fpm.few('page'), cookie)))
    const loggedOut = counts.filter((count) => count < 2).length
    return { ...figures, 'pages/s': Math.round(served / figures.seconds), 'logged out': loggedOut }
  } finally {
    await fpm.stop()
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
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let text = ''
  let said = ''
  program.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  program.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const [status] = await once(program, 'close')
  if (status !== 0) throw new Error(said.slice(-1000))
  return JSON.parse(text) as { copied: number; seconds: number }
}
