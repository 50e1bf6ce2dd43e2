import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { until } from '../../../lab/processes/until.ts'
import { EXECUTABLE } from '../../support/homes/cloudfoundry.ts'
import { container, HOSTS } from '../../support/homes/container.ts'
import { withBindings } from '../../support/homes/container-bindings.ts'
import { HANG, PEM, SENTINEL } from '../../support/homes/large-bindings.ts'

/** What must not be read to its end, by name: each is made at a path. */
const UNREADABLE: Readonly<Record<string, (path: string) => void>> = {
  'a FIFO': (path) => void spawnSync('mkfifo', [path]),
  '/dev/zero': (path) => symlinkSync('/dev/zero', path),
  'a socket': (path) =>
    void spawnSync('php', ['-n', '-r', 'stream_socket_server("unix://$argv[1]");', '--', path]),
  'a loop of links': (path) => symlinkSync(path, path),
  'a file of 100 MB': (path) => {
    writeFileSync(path, '')
    truncateSync(path, 100 << 20)
  },
}

/** A container with bindings in files: `sessions`, and others by name. */
describe.each(HOSTS)('%s', (_host, [program, ...before]) => {
  const run = (
    { env, directory }: { readonly env: NodeJS.ProcessEnv; readonly directory: string },
    ...args: string[]
  ) => spawnSync(program, [...before, ...args], { env, cwd: directory, encoding: 'utf8', ...HANG })

  test.each(Object.keys(UNREADABLE))('%s in another binding is named, and the sessions are kept', (kind) => {
    const bound = withBindings({})
    bound.add('mail', { type: 'smtp', host: 'h' })
    const path = join(bound.root, 'mail', 'password')
    UNREADABLE[kind]?.(path)
    const { status, stderr } = run(bound, 'exec', '--', 'true')
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringContaining(`! cannot read ${path}: `),
    })
    expect(stderr).toContain('sessions are kept in Redis service sessions')
    expect(bound.left()).toEqual([])
  })

  test.each(Object.keys(UNREADABLE))(
    '%s in the binding of the sessions is an error that names it',
    (kind) => {
      for (const name of ['ca.crt', 'type', '.metadata']) {
        const bound = withBindings({})
        bound.add('sessions', {})
        const path = join(bound.root, 'sessions', name)
        spawnSync('rm', ['-f', path])
        UNREADABLE[kind]?.(path)
        const env = { ...bound.env, PHP_SESSIONS_SERVICE: 'sessions' }
        const { status, stderr } = run({ ...bound, env }, 'exec', '--', 'true')
        expect({ status, stderr }).toEqual({
          status: 1,
          stderr: expect.stringContaining(`cannot read ${path}: `),
        })
        expect(stderr).toMatch(
          name === 'type' ? /^✗ cannot tell/m : /^✗ the binding cannot be used: cannot read/m,
        )
      }
    },
  )

  test.each(Object.keys(UNREADABLE))('%s in place of any other file ends with its name', (kind) => {
    const bound = container()
    const path = join(bound.directory, 'file')
    UNREADABLE[kind]?.(path)
    mkdirSync(join(bound.directory, '.bp-config'))
    const options = join(bound.directory, '.bp-config', 'options.json')
    for (const [env, named] of [
      [{ VCAP_SERVICES_FILE_PATH: path }, path],
      [{ REDIS_HOST: 'h', REDIS_PASSWORD_FILE: path }, path],
    ] as const) {
      const { status, stderr } = run({ ...bound, env: { ...bound.env, ...env } }, 'exec', '--', 'true')
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: expect.stringContaining(`cannot read ${named}: `),
      })
    }
    UNREADABLE[kind]?.(options)
    expect(run(bound, 'exec', '--', 'true')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('✗ cannot read ./.bp-config/options.json: '),
    })
  })

  test('a CA larger than a pipe, and a PHP that answers more, are no problem', () => {
    const bound = withBindings({ port: '', tls_port: '1', 'ca.crt': PEM.repeat(80) })
    const { status, stderr } = run(bound, 'exec', '--', 'true')
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringContaining('sessions are kept in Redis'),
    })
    expect(run(bound, 'doctor', 'tls.handshake').stdout).toContain('127.0.0.1:1')
    expect(bound.left()).toEqual([])
  })
})

/** A PHP that gives no answer. */
const SILENT = [
  ['reads nothing and is silent', 'sleep 100'],
  ['leaves a process that holds its output', 'sleep 100 & exit 0'],
  ['never ends what it prints', 'while :; do echo "............................................"; done'],
] as const

// Together, because each waits for most of a minute.
describe.concurrent.each(HOSTS)('%s', (_host, [program, ...before]) => {
  test.each(SILENT)('a PHP that %s costs no more than the limit', async (_name, script) => {
    const bound = withBindings({ port: '', tls_port: '1', 'ca.crt': PEM.repeat(80) })
    const bin = join(bound.directory, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'php'), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    const started = Date.now()
    const env = { ...bound.env, PATH: `${bin}:${bound.env.PATH}` }
    const options = { env, cwd: bound.directory, stdio: 'ignore', ...HANG } as const
    const [status] = await once(spawn(program, [...before, 'exec', '--', 'true'], options), 'exit')
    expect(status).toBe(0)
    expect(Date.now() - started).toBeLessThan(55_000)
    expect(bound.left()).toEqual([])
  })
})

describe('the executable leaves nothing behind', () => {
  /** A PHP that never answers, and says where it is. */
  const hanging = (entries: Readonly<Record<string, string>>) => {
    const bound = withBindings(entries)
    const bin = join(bound.directory, 'bin')
    mkdirSync(bin)
    const asked = join(bound.directory, 'asked')
    writeFileSync(join(bin, 'php'), `#!/bin/sh\necho $$ >${asked}\nexec sleep 100\n`, { mode: 0o755 })
    return { ...bound, asked, env: { ...bound.env, PATH: `${bin}:${bound.env.PATH}` } }
  }

  test.each([
    ['exec', ['exec', '--', 'true']],
    ['doctor', ['doctor']],
    ['cnb-launch', ['cnb-launch']],
  ])('%s ends at once when it is told to while PHP is silent', async (_name, args) => {
    for (const [signal, expected] of [
      ['SIGTERM', 143],
      ['SIGINT', 130],
      ['SIGHUP', 129],
    ] as const) {
      const bound = hanging(SENTINEL)
      const started = spawn(EXECUTABLE, args, { env: bound.env, cwd: bound.directory, stdio: 'ignore' })
      const exited = once(started, 'exit')
      await until('PHP to be asked', () => readdirSync(bound.directory).includes('asked'))
      await sleep(50)
      const php = Number(readFileSync(bound.asked, 'utf8'))
      started.kill(signal)
      expect(await exited).toEqual([expected, null])
      expect(() => process.kill(php, 0)).toThrow('ESRCH')
      expect(bound.left()).toEqual([])
    }
  })

  test("a client's key is gone when the PHP that was to use it is killed", () => {
    const bound = hanging(SENTINEL)
    const program = join(bound.directory, 'bin', 'php')
    const saw = join(bound.directory, 'saw')
    writeFileSync(program, `#!/bin/sh\nls -d $TMPDIR/php-sessions-ask-* >>${saw}\nkill -9 $$\n`, {
      mode: 0o755,
    })
    spawnSync(EXECUTABLE, ['exec', '--', 'true'], { env: bound.env, cwd: bound.directory, ...HANG })
    expect(readFileSync(saw, 'utf8')).toContain('php-sessions-ask-')
    expect(bound.left()).toEqual([])
  })

  test('exec that may not write files says so, and removes its directory', () => {
    const bound = withBindings({})
    const script = `ulimit -f 0; exec ${EXECUTABLE} exec -- true`
    const ended = spawnSync('bash', ['-c', script], {
      env: bound.env,
      cwd: bound.directory,
      encoding: 'utf8',
    })
    expect(ended).toMatchObject({
      status: 1,
      signal: null,
      stderr: expect.stringMatching(
        /cannot write .*: a file must not be that large .*\n.*\n {4}fix {2}raise the limit of file sizes \(ulimit -f\)/,
      ),
    })
    expect(bound.left()).toEqual([])
  })

  test.each(['ALRM', 'VTALRM', 'PROF', 'IO', 'PWR', 'STKFLT', 'XCPU', 'XFSZ', 'PIPE', 'RTMIN+3', 'RTMAX'])(
    'SIG%s, which would end exec, ends its command',
    (signal) => {
      const bound = withBindings({})
      const script = `kill -${signal} $PPID; sleep 20`
      const ended = spawnSync(EXECUTABLE, ['exec', '--', 'bash', '-c', `exec 2>/dev/null; ${script}`], {
        env: bound.env,
        cwd: bound.directory,
        ...HANG,
      })
      expect(ended.status).toBeGreaterThan(128)
      expect(ended.signal).toBeNull()
      expect(bound.left()).toEqual([])
    },
  )

  test('a directory is removed without what a link in it leads to', () => {
    const bound = withBindings({})
    const kept = join(bound.directory, 'kept')
    mkdirSync(kept)
    writeFileSync(join(kept, 'file'), '')
    const script = `ln -s ${kept} $(ls -d $TMPDIR/php-sessions-*)/link`
    expect(
      spawnSync(EXECUTABLE, ['exec', '--', 'sh', '-c', script], { env: bound.env, cwd: bound.directory })
        .status,
    ).toBe(0)
    expect(bound.left()).toEqual([])
    expect(readdirSync(kept)).toEqual(['file'])
  })
})
