import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { machinePhp } from '../../../lab/php/installed.ts'
import { until } from '../../../lab/processes/until.ts'
import { MANAGED_FILES } from '../../../src/stores/store.ts'
import { EXECUTABLE } from '../../support/homes/cloudfoundry.ts'
import { container, HOSTS } from '../../support/homes/container.ts'

/** Only for a test that hangs. */
const HANG = { timeout: 60_000 }
const PEM = `-----BEGIN CERTIFICATE-----\n${`${'A'.repeat(64)}\n`.repeat(60)}-----END CERTIFICATE-----\n`
const KEY = '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'

/** Without PHP_SESSIONS_PREVIOUS. */
const MANAGED = [MANAGED_FILES.handler, MANAGED_FILES.store, MANAGED_FILES.state]
const SENTINEL = {
  host: '',
  port: '',
  sentinels: '127.0.0.1:1',
  'master-name': 'm',
  tls: 'true',
  'tls.crt': PEM,
  'tls.key': KEY,
}

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
function withBindings(entries: Readonly<Record<string, string>>) {
  const bound = container()
  const root = join(bound.directory, 'bindings')
  const add = (name: string, files: Readonly<Record<string, string>>) => {
    mkdirSync(join(root, name), { recursive: true })
    for (const [file, text] of Object.entries(files)) writeFileSync(join(root, name, file), text)
  }
  add('sessions', { type: 'redis', host: '127.0.0.1', port: '1', password: 'p4ssword', ...entries })
  return { ...bound, env: { ...bound.env, SERVICE_BINDING_ROOT: root }, root, add }
}

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
      stderr: expect.stringMatching(/cannot write .* too large/),
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

/** Prints for a user, and each file of exec, whether it can be read and written, and what the directory allows. */
const TRY = `
  cd $TMPDIR/php-sessions-*/ || exit
  for file in 00-php-sessions.ini php-sessions-*; do
    r=-; w=-
    cat $file >/dev/null 2>&1 && r=r
    (: >>$file) 2>/dev/null && w=w
    echo "$file $r$w"
  done
  ls >/dev/null 2>&1 && echo listed
  (: >new) 2>/dev/null && echo made
  rm -f php-sessions-store.php 2>/dev/null; [ -e php-sessions-store.php ] || echo removed`

/** The names come from root: nobody else can list them. */
const AS = (who: string, option: string, names: readonly string[]) =>
  `setpriv ${option} --clear-groups sh -c '${TRY.replaceAll('00-php-sessions.ini php-sessions-*', names.join(' ')).replaceAll('$TMPDIR/php-sessions-*/', '"$0"')}' "$(echo $TMPDIR/php-sessions-*)" | sed 's/^/${who} /'`

test.skipIf(process.getuid?.() !== 0).each(HOSTS)(
  'a worker reads what it needs and writes only what nobody runs, and a stranger reads no secret: %s',
  (_name, [program, ...before]) => {
    const bound = withBindings({
      ...{ host: '', port: '', 'cluster.nodes': '127.0.0.1:1', tls: 'true' },
      ...{ 'tls.crt': PEM, 'tls.key': KEY, 'ca.crt': PEM },
    })
    const names = ['00-php-sessions.ini', 'php-sessions-ca.pem', 'php-sessions-client.pem', ...MANAGED]
    const script = [
      AS('worker', '--reuid=www-data --regid=www-data', names),
      AS('stranger', '--reuid=54321 --regid=54321', names),
    ].join('\n')
    const env = { ...bound.env, PHP_SESSIONS_HANDLER: 'managed' }
    // In a file: exec looks for programs that change the user in the words of its command.
    const path = join(bound.directory, 'script')
    writeFileSync(path, `umask 077; ${script}`)
    const args = [...before, 'exec', '--', 'sh', path, machinePhp().fpm([]).file]
    const done = spawnSync('bash', ['-c', 'umask 077; exec "$@"', 'bash', program, ...args], {
      env,
      cwd: bound.directory,
      encoding: 'utf8',
    })
    expect(done.stdout.trimEnd().split('\n')).toEqual([
      'worker 00-php-sessions.ini --',
      'worker php-sessions-ca.pem r-',
      'worker php-sessions-client.pem r-',
      'worker php-sessions-handler.php r-',
      'worker php-sessions-store.php r-',
      'worker php-sessions-state.json rw',
      'stranger 00-php-sessions.ini --',
      'stranger php-sessions-ca.pem r-',
      'stranger php-sessions-client.pem --',
      'stranger php-sessions-handler.php r-',
      'stranger php-sessions-store.php --',
      'stranger php-sessions-state.json --',
    ])
    expect(bound.left()).toEqual([])
  },
)
