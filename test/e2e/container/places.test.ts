import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { EXECUTABLE } from '../../support/homes/cloudfoundry.ts'
import { container, HOSTS } from '../../support/homes/container.ts'

const isRoot = process.getuid?.() === 0
/** Mounts are this process's own, and gone with it. */
const canMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0
const SAYS = ['php', '-r', `echo ini_get('session.save_handler'), ' ', posix_geteuid();`]
const CHECKOUT = process.cwd()
/** Makes /tmp empty, but for this checkout, which may be there. */
const EMPTY_TMP = CHECKOUT.startsWith('/tmp/')
  ? `mount --bind ${CHECKOUT} /mnt && mount -t tmpfs none /tmp && mkdir -p ${CHECKOUT} && { mount --move /mnt ${CHECKOUT} 2>/dev/null; test -e ${CHECKOUT}/package.json; }`
  : 'mount -t tmpfs none /tmp'
const LIMIT = { encoding: 'utf8', timeout: 60_000 } as const

const bound = (env: Readonly<Record<string, string>> = {}) =>
  container({ REDIS_URL: 'redis://:s3cret@127.0.0.1:6379', ...env })

/** Runs exec behind a line of bash, in which `"$@"` is exec with its command. */
function behind(
  line: string,
  env: NodeJS.ProcessEnv,
  { program = [EXECUTABLE], cwd = '/' }: { readonly program?: readonly string[]; readonly cwd?: string } = {},
) {
  const args = ['-m', 'bash', '-c', line, 'bash', ...program, 'exec', '--', ...SAYS]
  return spawnSync('unshare', args, { env, cwd, ...LIMIT })
}

const REDIS = { status: 0, stdout: expect.stringMatching(/^redis \d+$/) }
/** Nothing was promised, and the message says what to do. */
const refused = (fix: string) => ({
  status: 1,
  stdout: '',
  stderr: expect.stringMatching(
    new RegExp(`^(?!.*sessions are kept)[\\s\\S]*✗ cannot .*\\(file.access\\)\\n.*\\n +fix +.*${fix}`),
  ),
})

describe.skipIf(!isRoot || !canMount)('the place for the files', () => {
  const unset = (env: Readonly<Record<string, string>> = {}) => {
    const { TMPDIR: _, ...rest } = bound(env).env
    return rest
  }

  test.each(HOSTS)('TMPDIR is not set: /tmp, which may be a tmpfs: %s', (_name, program) => {
    const fresh = `${EMPTY_TMP} && { "$@"; s=$?; ls -d /tmp/php* 2>/dev/null; exit $s; }`
    expect(behind(fresh, unset(), { program })).toMatchObject(REDIS)
    expect(behind(fresh, bound({ TMPDIR: '' }).env, { program })).toMatchObject(REDIS)
  })

  test.each(HOSTS)('the root file system is read-only: %s', (_name, program) => {
    const readOnly = 'mount -o remount,bind,ro /'
    expect(behind(`${readOnly} && exec "$@"`, unset(), { program })).toMatchObject(
      refused('mount a tmpfs at /tmp'),
    )
    const mended = `${readOnly} && ${EMPTY_TMP} && exec "$@"`
    expect(behind(mended, unset(), { program })).toMatchObject(REDIS)
    const elsewhere = `${readOnly} && mount -t tmpfs none /mnt && exec "$@"`
    expect(behind(elsewhere, bound({ TMPDIR: '/mnt' }).env, { program })).toMatchObject(REDIS)
  })

  test.each(HOSTS)('TMPDIR does not exist, is a file, or may not be written: %s', (_name, program) => {
    for (const TMPDIR of ['/nowhere/at/all', '/etc/passwd'])
      expect(behind('exec "$@"', bound({ TMPDIR }).env, { program })).toMatchObject(
        refused(`make ${TMPDIR} a`),
      )
    const line = 'exec setpriv --reuid=www-data --regid=www-data --clear-groups "$@"'
    expect(behind(line, bound({ TMPDIR: '/etc' }).env, { program })).toMatchObject(refused('make /etc a'))
  })

  test.each(HOSTS)('the place is full: %s', (_name, program) => {
    const full = (options: string) =>
      `mount -t tmpfs -o ${options} none /mnt && { head -c 1M /dev/zero >/mnt/fill; "$@"; s=$?; ls -d /mnt/php* 2>/dev/null; exit $s; }`
    for (const options of ['size=4k', 'nr_inodes=3'])
      expect(behind(full(options), bound({ TMPDIR: '/mnt' }).env, { program })).toMatchObject(
        refused('make /mnt a'),
      )
  })

  test('an unknown user of the group root, as on OpenShift', () => {
    const line = 'exec setpriv --reuid=1000680000 --regid=0 --clear-groups "$@"'
    const { env, left } = bound({ HOME: '/' })
    expect(behind(line, env)).toMatchObject({ status: 0, stdout: 'redis 1000680000' })
    expect(behind(line, { ...env, PHP_SESSIONS_HANDLER: 'managed' })).toMatchObject({
      status: 0,
      stdout: 'redis 1000680000',
      stderr: expect.not.stringContaining('(exec.'),
    })
    expect(left()).toEqual([])
  })
})

describe('odd places', () => {
  const run = (env: NodeJS.ProcessEnv, command: readonly string[], cwd: string) =>
    spawnSync(EXECUTABLE, ['exec', '--', ...command], { env, cwd, ...LIMIT })

  test('a TMPDIR that is not absolute', () => {
    const { env, directory, left } = bound()
    const elsewhere = ['sh', '-c', 'cd /; exec "$@"', 'sh', ...SAYS]
    expect(run({ ...env, TMPDIR: 'tmp' }, elsewhere, directory)).toMatchObject(REDIS)
    expect(left()).toEqual([])
  })

  test('exec inside exec: the inner one counts, whatever it finds', () => {
    const { env, directory, left } = bound()
    const inner = [EXECUTABLE, 'exec', '--', ...SAYS]
    expect(run(env, inner, directory)).toMatchObject(REDIS)
    const unbound = run(env, ['env', '-u', 'REDIS_URL', ...inner], directory)
    expect(unbound.stdout).toMatch(/^files /)
    expect(unbound.stderr).toContain('sessions are kept in local files')
    expect(left()).toEqual([])
  })

  test.each(['<&-', '>&-', '2>&-', '<&- >&- 2>&-'])('with %s it works as well', (closed) => {
    const { env, directory, left } = bound()
    const said = join(directory, 'tmp/said')
    const code = `file_put_contents('${said}', ini_get('session.save_handler'));`
    const line = `exec ${closed}; "$@"; echo $? >>${said}`
    const args = ['-c', line, 'bash', EXECUTABLE, 'exec', '--', 'php', '-r', code]
    spawnSync('bash', args, { env, cwd: directory, ...LIMIT })
    expect(spawnSync('cat', [said], LIMIT).stdout).toBe('redis0\n')
    expect(left()).toEqual([])
  })
})

test('the reason why places are not tried', ({ skip }) => {
  if (!isRoot) skip('only root can mount')
  if (!canMount) skip('unshare -m does not work here')
})
