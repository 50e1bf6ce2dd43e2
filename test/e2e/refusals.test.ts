import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { CANARY, redisService, showsCanary, vcapServices } from '../../lab/bindings.ts'
import { EXECUTABLE } from '../support/homes/cloudfoundry.ts'
import { container, HOSTS } from '../support/homes/container.ts'

const isRoot = process.getuid?.() === 0
const canMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0
const services = vcapServices({ ...redisService, credentials: { host: '127.0.0.1', password: CANARY } })
const OLD = 'what was there before\n'

/** A directory with a file that `ini --output` is told to replace. */
function makePlace() {
  const { directory, env, left } = container({ VCAP_SERVICES: services })
  const output = join(directory, 'kept.ini')
  writeFileSync(output, OLD)
  /** Runs the program behind a line of bash, in which `"$@"` is the program, and which ends by itself. */
  const run = (line: string, program: readonly string[], ...args: readonly string[]) => {
    // A bash whose standard input is a socket would read .bashrc.
    const words = ['--norc', '-c', line, 'bash', ...program, ...args]
    const result = spawnSync('bash', words, { env, cwd: directory, encoding: 'utf8', ...HANG })
    // Without it the program hung.
    expect(result.error).toBeUndefined()
    expect(showsCanary(result.stderr)).toBe(false)
    const { status, stdout, stderr } = result
    return { status, stdout, stderr, first: /^.*✗ .*$|^php-sessions: no memory.*$/m.exec(stderr)?.[0] ?? '' }
  }
  /** What else there is than the earlier file, whole, and the directory for temporary files. */
  const rest = () => [
    ...readdirSync(directory).filter((name) => name !== 'kept.ini' && name !== 'tmp'),
    ...left(),
  ]
  return { output, run, rest, now: () => readFileSync(output, 'utf8') }
}

const HANG = { timeout: 120_000, killSignal: 'SIGKILL' } as const

let place: ReturnType<typeof makePlace>
beforeEach(() => {
  place = makePlace()
})

describe.each(HOSTS)('%s', (_host, program) => {
  test.each(['--licences', 'help options', 'ini', 'explain', 'explain --json', 'doctor --json'])(
    'standard output is full: %s',
    (args) => {
      const { status, first, stderr } = place.run('"$@" >/dev/full', program, ...args.split(' '))
      expect({ status, first }).toEqual({
        status: 1,
        first: '✗ cannot write to standard output: no space left on the device  (file.access)',
      })
      expect(stderr).toContain('fix  make room there\n')
    },
  )

  test('who reads standard output has gone: it ends as other programs do', () => {
    // This way nothing needs to be waited for: first there is a reader, then a writer, then no reader.
    const line = 'mkfifo tmp/p && exec 3<>tmp/p 4>tmp/p 3<&- && "$@" >&4'
    expect(place.run(line, program, '--licences')).toMatchObject({ status: 141, stderr: '' })
  })

  test('a reader that is slow, of a pipe that does not wait for it, gets everything', () => {
    const code = `$p = popen('sleep 1; cat', 'w'); stream_set_blocking($p, false);
      exit(proc_close(proc_open(array_slice($argv, 1), [1 => $p, 2 => STDERR], $pipes)));`
    const words = ['-n', '-r', code, '--', ...program, 'help', 'options']
    const plain = spawnSync(program[0], [...program.slice(1), 'help', 'options'], { encoding: 'utf8' })
    const { status, stderr, stdout } = spawnSync('php', words, { encoding: 'utf8', ...HANG })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toBe(plain.stdout)
  })

  test('nobody reads the messages: the command runs', () => {
    expect(place.run('"$@" 2>/dev/full', program, 'exec', '--', 'echo', 'ran').stdout).toBe('ran\n')
  })

  test.each([0, 100, 600])(
    'no file may have more than %i bytes: the earlier file stays, and no other',
    (most) => {
      const limited = place.run(`prlimit --fsize=${most} "$@"`, program, 'ini', '--output', place.output)
      expect(limited).toMatchObject({
        status: 1,
        first: `✗ cannot write ${place.output}: a file must not be that large  (file.access)`,
        stderr: expect.stringContaining('(ulimit -f)'),
      })
      expect(place.now()).toBe(OLD)
      const started = place.run(`prlimit --fsize=${most} "$@"`, program, 'exec', '--', 'echo', 'ran')
      expect(started).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('(ulimit -f)') })
      expect(place.rest()).toEqual([])
    },
  )

  test.skipIf(!isRoot)('no process can be started', () => {
    const line =
      'chmod 777 . && exec setpriv --reuid=54321 --regid=54321 --clear-groups prlimit --nproc=0 "$@"'
    // Node itself needs processes for its threads.
    if (program.length > 1) return
    for (const args of [['ini', '--output', place.output], ['explain'], ['exec', '--', 'true']])
      expect(place.run(line, program, ...args)).toMatchObject({
        status: 1,
        first: '✗ cannot run php: no more processes can be started  (file.access)',
        stderr: expect.stringContaining('(ulimit -u)'),
      })
    expect(place.now()).toBe(OLD)
  })

  test.skipIf(!canMount)('the disk of the file is full, or may only be read', () => {
    const full = `mount -t tmpfs -o size=64k none /mnt && cp kept.ini /mnt/ && { head -c 1M /dev/zero >/mnt/fill
      MORE; "$@"; s=$?; ls /mnt; cat /mnt/kept.ini; exit $s; }`
    for (const [more, reason, fix] of [
      ['true', 'no space left on the device', 'make room there'],
      ['mount -o remount,ro /mnt', 'the file system is read-only', 'write to another place'],
    ]) {
      const line = `exec unshare -m bash -c '${full.replace('MORE', more ?? '')}' bash "$@"`
      expect(place.run(line, program, 'ini', '--output', '/mnt/kept.ini')).toMatchObject({
        status: 1,
        first: `✗ cannot write /mnt/kept.ini: ${reason}  (file.access)`,
        stderr: expect.stringContaining(`fix  ${fix}\n`),
        stdout: `fill\nkept.ini\n${OLD}`,
      })
    }
  })
})

const COMMANDS_FOR_MEMORY = [['--version'], ['ini', '--output', 'new.ini'], ['exec', '--', 'true']]

describe('the executable', () => {
  const COMMANDS: readonly (readonly string[])[] = [
    ['explain'],
    ['exec', '--', 'echo', 'ran'],
    ['sessions'],
    ['doctor'],
  ]

  test.each([3, 4, 5, 6, 7, 8, 9])(
    'no more than %i files may be open: it works, or says so at once',
    (files) => {
      const whole = place.run('"$@"', [EXECUTABLE], 'ini').stdout
      const line = `prlimit --nofile=${files} "$@"`
      const said = /^✗ cannot (run php|list \/proc): too many files are open {2}\(file.access\)$/
      const written = place.run(line, [EXECUTABLE], 'ini', '--output', place.output)
      if (written.first !== '') expect(written.first).toMatch(said)
      expect(place.now()).toBe(written.status === 0 ? whole : OLD)
      for (const args of COMMANDS) {
        const { status, first, stderr } = place.run(line, [EXECUTABLE], ...args)
        if (said.test(first))
          expect({ status, fix: stderr.includes('(ulimit -n)') }).toEqual({ status: 1, fix: true })
        else expect(files).toBeGreaterThan(7)
      }
      expect(place.rest()).toEqual([])
    },
  )

  const SIZES = Array.from({ length: 32 }, (_, at) => 1500 + 250 * at)

  test.each(COMMANDS_FOR_MEMORY)(
    'whatever memory it may have, it ends, and works or says that first: %s',
    (...args) => {
      const seen = SIZES.map((size) => {
        const { status, stderr } = place.run(`prlimit --as=${size}000 "$@"`, [EXECUTABLE], ...args)
        if (status !== 0) expect(stderr).toMatch(/^(php-sessions|✗ cannot run php): no memory is left/)
        return status
      })
      rmSync(join(place.output, '../new.ini'), { force: true })
      expect(seen[0]).toBe(1)
      expect(seen.at(-1)).toBe(0)
      expect(place.rest()).toEqual([])
    },
  )
})

test('what cannot be refused here', ({ skip }) => {
  if (!isRoot || !canMount) skip('only root can mount, and be another user')
})
