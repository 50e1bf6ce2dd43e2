import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../../lab/processes/command.ts'
import { freePorts } from '../../lab/processes/ports.ts'
import { type ServerOptions, startServer } from '../../lab/processes/server.ts'
import { until } from '../../lab/processes/until.ts'

/** A machine may be busy. */
const PATIENCE = { timeout: 30_000 }

/** Runs a script of this checkout in a process of its own. */
const runScript = (script: string) =>
  runCommand({ file: process.execPath, args: ['--import', 'tsx', '--input-type=module', '-e', script] })

const redisServer: ServerOptions['command'] = ({ directory, ports: [port] }) => ({
  file: 'redis-server',
  args: ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', directory],
})

/** Listens on a port as another process's server would. */
async function occupy(port: number | undefined): Promise<void> {
  const other = createServer((socket) => socket.end()).listen(port, '127.0.0.1')
  await once(other, 'listening')
  onTestFinished(() => void other.close())
}

test('a server that ends at once is an error that shows what it has printed', async () => {
  const failing = { file: 'bash', args: ['-c', 'echo "no licence" >/dev/stderr; exit 4'] }
  const start = startServer({ name: 'thing', ports: 1, command: () => failing })
  await expect(start).rejects.toThrow(/^thing did not start: .*\nno licence\n$/s)
})

test.each([
  ['fails to listen', redisServer],
  ['has not tried to listen yet', () => ({ file: 'sleep', args: ['77'] })],
])(
  'a server whose port another process has taken is started on another port: one that %s',
  async (_what, first) => {
    const taken: number[] = []
    const server = await startServer({
      name: 'thing',
      ports: 1,
      command: async (place) => {
        if (taken.length > 0) return redisServer(place)
        taken.push(...place.ports)
        await occupy(place.ports[0])
        return first(place)
      },
    })
    onTestFinished(server.stop)
    expect(server.ports).not.toEqual(taken)
    const pid = execFileSync('redis-cli', ['-p', String(server.ports[0]), 'INFO', 'server'], {
      encoding: 'utf8',
    })
    expect(pid).toContain(`process_id:${server.pid}\r\n`)
  },
)

test('a server that must have a port that another process has taken is an error that names the port', async () => {
  const [port = 0] = await freePorts(1)
  await occupy(port)
  const start = startServer({ name: 'thing', ports: [port], command: redisServer })
  await expect(start).rejects.toThrow(new RegExp(`another process listens on port ${port}|in use`))
})

test('two processes that start servers at the same time choose from different ports', async () => {
  const [own = 0] = await freePorts(1)
  const { stdout, stderr } = await runScript(`
    const { freePorts } = await import('./lab/processes/ports.ts')
    console.log(JSON.stringify(await freePorts(1000)))`)
  const others: number[] = JSON.parse(stdout || stderr)
  expect(new Set(others).size).toBeGreaterThan(300)
  expect(others).not.toContain(own)
})

test('a server stops with everything that it has started, also in sessions of their own', async () => {
  const script = 'setsid sleep 77 & echo "child $!"; exec redis-server --port "$0" --save "" --dir "$1"'
  const server = await startServer({
    name: 'thing',
    ports: 1,
    command: ({ ports, directory }) => ({ file: 'bash', args: ['-c', script, String(ports[0]), directory] }),
  })
  await until('the server to name its child', () => server.log().includes('child'))
  const child = /child (\d+)/.exec(server.log())?.[1]
  expect(isAlive(child)).toBe(true)
  await server.stop()
  expect(isAlive(child)).toBe(false)
  expect(existsSync(server.directory)).toBe(false)
})

test.each(['SIGKILL', 'SIGTERM'])(
  'servers end, and their directories are removed, when %s ends the process that started them',
  async (signal) => {
    const { stdout, stderr } = await runScript(`
      const { startRedis } = await import('./lab/redis/server.ts')
      const redis = await startRedis()
      console.log(redis.cli('INFO', 'server').match(/process_id:(\\d+)/)[1], redis.cli('CONFIG', 'GET', 'dir').split('\\n')[1])
      process.kill(process.pid, '${signal}')`)
    const [pid, directory] = stdout.trim().split(' ')
    expect(directory, stderr).toMatch(/lab-redis-/)
    await expect.poll(() => isAlive(pid), PATIENCE).toBe(false)
    await expect.poll(() => existsSync(directory as string), PATIENCE).toBe(false)
  },
)

test('what a Node program has started ends with the process that started the program', async () => {
  const program = `const { spawn } = require('node:child_process');
    console.log('child', spawn('sleep', ['77'], { stdio: 'inherit', detached: true }).pid);
    require('node:net').createServer().listen(process.argv[1], '127.0.0.1')`
  const { stdout, stderr } = await runScript(`
    const { startServer } = await import('./lab/processes/server.ts')
    const server = await startServer({
      name: 'thing',
      ports: 1,
      command: ({ ports }) => ({ file: process.execPath, args: ['-e', ${JSON.stringify(program)}, String(ports[0])] }),
    })
    while (!server.log().includes('child')) await new Promise((resolve) => setTimeout(resolve, 20))
    console.log(server.log())
    process.kill(process.pid, 'SIGTERM')`)
  const child = /child (\d+)/.exec(stdout)?.[1]
  expect(child, stderr).toBeDefined()
  await expect.poll(() => isAlive(child), PATIENCE).toBe(false)
})

/** A zombie counts as dead. */
function isAlive(pid: string | undefined): boolean {
  const state = execFileSync('sh', ['-c', `cat /proc/${pid}/stat 2>/dev/null || true`], { encoding: 'utf8' })
  return state !== '' && !/\) Z /.test(state)
}
