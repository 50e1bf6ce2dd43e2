import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cookieIn } from '../../../lab/php/fastcgi.ts'
import { until } from '../../../lab/processes/until.ts'
import type { Redis } from '../../../lab/redis/options.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { makeCertificates } from '../../../lab/servers/certificates.ts'
import { EXECUTABLE } from '../../support/homes/cloudfoundry.ts'
import { type Container, container, HOSTS, startExec, startFpmIn } from '../../support/homes/container.ts'
import { tlsForOwn } from '../../support/php/configured.ts'

const PASSWORD = 's3cret-of-exec'
const isRoot = process.getuid?.() === 0
const certificates = makeCertificates()
let redis: Redis
beforeAll(async () => {
  redis = await startRedis({ password: PASSWORD, tls: certificates, ...tlsForOwn() })
})
afterAll(() => redis.stop())

const withRedis = () => container({ REDIS_URL: `redis://:${PASSWORD}@127.0.0.1:${redis.port}` })
const withTls = () =>
  container({
    REDIS_URL: `rediss://:${PASSWORD}@localhost:${redis.tlsPort}`,
    REDIS_CA: readFileSync(certificates.ca, 'utf8'),
  })

const run = (
  { env, directory }: Container,
  command: readonly string[],
  program: readonly string[] = [EXECUTABLE],
) => {
  const [file = '', ...before] = program
  const args = [...before, 'exec', '--', ...command]
  return spawnSync(file, args, { env, cwd: directory, encoding: 'utf8', timeout: 30_000 })
}

const pagesOf = ({ directory }: Container) => ({
  count: `session_start(); echo $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1, ' ', ini_get('session.save_handler');`,
  slow: `file_put_contents('${join(directory, 'tmp/asked')}', ''); for ($end = microtime(true) + 1; microtime(true) < $end; usleep(9000)); echo 'finished';`,
  whoami: `echo posix_geteuid();`,
})

test('php-fpm keeps its sessions in Redis over TLS, with workers of another user, also after a reload', async () => {
  const bound = withTls()
  const fpm = await startFpmIn(bound, { pages: pagesOf(bound) })
  const first = await fpm.ask('count')
  const cookie = cookieIn(first) ?? ''
  expect(first).toMatch(/1 redis$/)
  expect(await fpm.ask('count', cookie)).toMatch(/2 redis$/)
  expect(redis.cli('keys', '*')).toContain(cookie.split('=')[1])
  if (isRoot) expect(await fpm.ask('whoami')).not.toMatch(/\b0$/)

  process.kill(fpm.pid, 'SIGUSR2')
  await until('php-fpm to have reloaded', () => fpm.log().match(/ready to handle connections/g)?.length === 2)
  expect(await fpm.ask('count', cookie)).toMatch(/3 redis$/)

  expect(fpm.log()).not.toContain(PASSWORD)
  process.kill(fpm.pid, 'SIGTERM')
  expect(await fpm.exited).toBe(0)
  expect(bound.left()).toEqual([])
})

/** Makes a script that is called php and adds options. */
function wrapPhp(directory: string, options: string): void {
  const real = spawnSync('sh', ['-c', 'command -v php'], { encoding: 'utf8' }).stdout.trim()
  writeFileSync(join(directory, 'php'), `#!/bin/sh\nexec ${real} ${options} "$@"\n`, { mode: 0o755 })
}

test.each(['native', 'managed'])(
  'a script that is called php is asked what it sets, which wins: %s',
  (handler) => {
    const bound = withRedis()
    wrapPhp(bound.directory, '-d session.save_handler=files -dsession.save_path=/tmp')
    const env = { ...bound.env, PATH: `${bound.directory}:${bound.env.PATH}`, PHP_SESSIONS_HANDLER: handler }
    const { stdout, stderr, status } = run({ ...bound, env }, [
      'php',
      '-r',
      "echo ini_get('session.save_handler');",
    ])
    expect([status, stdout]).toEqual([0, 'files'])
    expect(stderr).toMatch(
      /^php-sessions: sessions are kept in local files, because -d session\.save_handler /m,
    )
  },
)

test('what a script that is called php disables counts, not what php-sessions adds to its questions', () => {
  const bound = withRedis()
  const env = {
    ...bound.env,
    PATH: `${bound.directory}:${bound.env.PATH}`,
    PHP_SESSIONS_HANDLER: 'managed',
  }
  const prepended = () =>
    run({ ...bound, env }, ['php', '-r', "echo basename(ini_get('auto_prepend_file'));"])
  expect(prepended()).toMatchObject({
    status: 0,
    stdout: 'php-sessions-handler.php',
    stderr: expect.not.stringContaining('handler.blocked'),
  })
  wrapPhp(bound.directory, '-d disable_functions=session_set_save_handler')
  expect(prepended()).toMatchObject({
    status: 0,
    stdout: '',
    stderr: expect.stringMatching(
      /session_set_save_handler.*\(handler\.blocked\)\n.*-d disable_functions in what starts PHP/,
    ),
  })
})

test.each([
  ['SIGTERM, as platforms send', 'SIGTERM'],
  ['SIGQUIT, as the official images have it', 'SIGQUIT'],
] as const)(
  'a request that php-fpm is serving is finished when the container is stopped: %s',
  async (_name, signal) => {
    const bound = withRedis()
    const fpm = await startFpmIn(bound, { pages: pagesOf(bound) })
    const asked = fpm.ask('slow')
    await until('the request to be served', () => readdirSync(join(bound.directory, 'tmp')).includes('asked'))
    const stopped = Date.now()
    process.kill(fpm.pid, signal)
    expect(await asked).toMatch(/finished$/)
    expect(await fpm.exited).toBe(0)
    expect(Date.now() - stopped).toBeLessThan(10_000)
    expect(bound.left()).toEqual([])
  },
)

test.each(HOSTS)('the exit status is that of the command, and nothing stays behind: %s', (_name, program) => {
  for (const bound of [container(), withRedis()]) {
    writeFileSync(join(bound.directory, 'text'), 'no program', { mode: 0o644 })
    const status = (...command: string[]) => run(bound, command, program).status
    expect(status('true')).toBe(0)
    expect(status('sh', '-c', 'exit 3')).toBe(3)
    expect(status('sh', '-c', 'kill -9 $$')).toBe(137)
    expect(status('sh', '-c', 'kill -TERM $$')).toBe(143)
    expect(status('no-such-program')).toBe(127)
    expect(status('./text')).toBe(126)
    expect(bound.left()).toEqual([])
  }
})

test('both hosts report a command that cannot be run in the same words', () => {
  for (const command of ['no-such-program', '/etc/passwd', '/etc/passwd/x'])
    for (const bound of [container(), container({ REDIS_URL: 'redis://h' })]) {
      const [executable, node] = HOSTS.map(([, program]) => {
        const { status, stdout, stderr } = run(bound, [command], program)
        return { status, stdout, stderr }
      })
      expect(executable).toEqual(node)
    }
})

test('stdin, stdout and the arguments pass through exec byte for byte', () => {
  const bytes = randomBytes(300_000)
  for (const { env, directory } of [container(), withRedis()]) {
    const options = { env, cwd: directory, input: bytes }
    expect(spawnSync(EXECUTABLE, ['exec', '--', 'cat'], options).stdout.equals(bytes)).toBe(true)
    const script = `exec "$0" exec -- printf %s "$(printf '\\377a')" '' --help`
    const { stdout } = spawnSync('sh', ['-c', script, EXECUTABLE], options)
    expect(stdout.toString('latin1')).toBe('\xffa--help')
  }
})

test('the environment passes through exec; PHP_INI_SCAN_DIR is added when a store is bound', () => {
  const read = (bound: Container) => {
    const direct = spawnSync('env', { env: bound.env, encoding: 'utf8' }).stdout.split('\n').sort()
    const under = run(bound, ['env']).stdout.split('\n').sort()
    return {
      added: under.filter((line) => !direct.includes(line)),
      lost: direct.filter((line) => !under.includes(line)),
    }
  }
  expect(read(container())).toEqual({ added: [], lost: [] })
  const { added, lost } = read(withRedis())
  expect(lost).toEqual([])
  expect(added).toEqual([expect.stringMatching(/^PHP_INI_SCAN_DIR=:.*\/tmp\/php-sessions-[^:]*$/)])
})

test('nobody but the owner can read the password, while workers of another user reach the CA', async () => {
  const bound = withTls()
  const command = await startExec(bound, ['sh', '-c', 'echo ready; sleep 60'])
  const directory = bound.stateDirectory()
  const files = readdirSync(directory).map((name) => ({
    name,
    mode: statSync(join(directory, name)).mode & 0o777,
  }))
  expect(statSync(directory).mode & 0o777).toBe(0o711)
  expect(files.length).toBe(2)
  for (const { name, mode } of files)
    expect({ name, mode, secret: readFileSync(join(directory, name), 'utf8').includes(PASSWORD) }).toEqual(
      name.endsWith('.ini') ? { name, mode: 0o600, secret: true } : { name, mode: 0o644, secret: false },
    )
  expect(command.stderr()).not.toContain(PASSWORD)
  process.kill(command.pid, 'SIGTERM')
  expect(await command.exited).toBe(143)
  expect(bound.left()).toEqual([])
})

test('two exec that share a directory for temporary files do not disturb each other', async () => {
  const bound = withRedis()
  const script = `echo ready; sleep 1; php -r 'echo ini_get("session.save_handler");'`
  const commands = await Promise.all([1, 2].map(() => startExec(bound, ['sh', '-c', script])))
  expect(bound.left()).toHaveLength(2)
  for (const command of commands) {
    expect(await command.exited).toBe(0)
    expect(command.stdout()).toBe('ready\nredis')
  }
  expect(bound.left()).toEqual([])
})

test('a binding that cannot work stops the start, unless PHP_SESSIONS_ON_ERROR=files', () => {
  const code = 'echo ini_get("session.save_handler");'
  const wrong = { REDIS_URL: 'redis://h:99999' }
  const stopped = run(container(wrong), ['php', '-r', code])
  expect(stopped).toMatchObject({ status: 1, stdout: '' })
  expect(stopped.stderr).toMatch(/✗ .*\(binding\.value\)/)
  const withFiles = run(container({ ...wrong, PHP_SESSIONS_ON_ERROR: 'files' }), ['php', '-r', code])
  expect(withFiles).toMatchObject({ status: 0, stdout: 'files' })
})
