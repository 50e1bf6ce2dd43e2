import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { cookieIn } from '../../../lab/php/fastcgi.ts'
import { startFpm } from '../../../lab/php/fpm.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { until } from '../../../lab/processes/until.ts'
import { asNobody, makeMachine, run } from '../../support/doctor/machine.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'

const PAST = Date.now() / 1000 - 5000

/** A directory for sessions, with directories so deep in it, and the setting that names it. */
function makeDirectory(before: string, depth: number) {
  const directory = join(makeScratch('files'), 'sessions')
  const names = [...'0123456789abcdef']
  const below = (path: string, left: number): void => {
    mkdirSync(path)
    if (left > 0) for (const name of names) below(join(path, name), left - 1)
  }
  below(directory, depth)
  const fileOf = (id: string) => join(directory, ...[...id].slice(0, depth), `sess_${id}`)
  return { directory, savePath: `${before}${directory}`, fileOf }
}

/** A php-fpm that keeps sessions in files, and a machine on which somebody runs php-sessions. */
async function startSite(php: PhpUnderTest, savePath: string) {
  const gates = makeScratch('gate')
  const [gate, taken] = [join(gates, 'open'), join(gates, 'taken')]
  const held = `file_put_contents('${taken}.new', getmypid()); rename('${taken}.new', '${taken}'); while (!file_exists('${gate}')) { usleep(1000); clearstatcache(); }`
  const pages = {
    login: `session_start(); $_SESSION['user_id'] = 42; echo 'in';`,
    other: `session_start(); $_SESSION['user_id'] = 7; echo 'in';`,
    who: `session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; echo 'user ', $_SESSION['user_id'] ?? 'nobody';`,
    hold: `session_start(); ${held} $_SESSION['n'] = 1; session_write_close(); echo 'held';`,
  }
  const app = `session.save_handler = files\nsession.save_path = "${savePath}"\nsession.gc_probability = 0\n`
  const fpm = await startFpm({ php: php.php, ini: () => app, pools: [{ workers: 4 }], env: {}, pages })
  onTestFinished(fpm.stop)
  const machine = await makeMachine({ php, app })
  return {
    ask: fpm.ask,
    login: async (page = 'login') => cookieIn(await fpm.ask(page)) ?? '',
    hold: async (cookie: string) => {
      const held = fpm.ask('hold', cookie)
      held.catch(() => {})
      await until('the session to be taken', () => existsSync(taken))
      return { ends: () => held, process: () => Number(readFileSync(taken, 'utf8')) }
    },
    sayAsNobody: (...args: readonly string[]) => run(asNobody(machine), args),
    open: () => writeFileSync(gate, ''),
    say: (...args: readonly string[]) => run(machine, args),
  }
}

const idOf = (cookie: string) => cookie.split('=')[1] ?? ''

describe.each(PHPS)('%s', (_name, php) => {
  test.each([
    ['', 0],
    ['2;0600;', 2],
  ])('files in "%sDIRECTORY" are counted, shown and ended, and nothing else is', async (before, depth) => {
    const { directory, savePath, fileOf } = makeDirectory(before, depth)
    const site = await startSite(php, savePath)
    const [one, two, other] = [await site.login(), await site.login(), await site.login('other')]
    const planted = plant(directory, fileOf, depth)

    const counted = await site.say('sessions')
    expect(counted).toMatchObject({ status: 0, err: '' })
    expect(counted.out).toContain(`3 sessions in local files of this instance, in ${directory}\n`)
    expect((await site.say('sessions', 'show', idOf(one))).out).toMatch(/in the format php,.*user_id +int/s)
    for (const id of planted.ids)
      expect((await site.say('sessions', 'end', id, '--yes')).out).toBe('0 sessions ended\n')

    const held = await site.hold(one)
    const waits = site.ask('who', one)
    waits.catch(() => {})
    await until('a request that waits', async () => (await locks(site)).waiting === 1)
    expect((await locks(site)).longest).toEqual([
      {
        handler: 'native',
        instance: expect.any(String),
        process: held.process(),
        method: null,
        path: null,
        heldSeconds: null,
        endsInSeconds: null,
        waiting: 1,
        id: idOf(one),
      },
    ])
    const { status, out, err } = await site.say('sessions', 'end', '--where', 'user_id=42', '--yes')
    expect({ status, out }).toEqual({ status: 0, out: '2 sessions ended\n' })
    expect(err).toContain(`only sessions of this instance: they are in local files, in ${directory}\n`)
    expect(err).toContain('(sessions.returns)')
    site.open()
    await held.ends()
    await waits
    for (const cookie of [one, two]) expect(await site.ask('who', cookie)).toMatch(/user nobody$/)
    expect(await site.ask('who', other)).toMatch(/user 7$/)
    expect((await site.say('sessions', 'end', '--where', 'user_id=42', '--yes')).out).toBe(
      '0 sessions ended\n',
    )
    expect(planted.isAsBefore()).toBe(true)
  })

  test('a request that was about to read the session gets an empty one', async () => {
    const { savePath, fileOf } = makeDirectory('', 0)
    const site = await startSite(php, savePath)
    const cookie = await site.login()
    const open = openSync(fileOf(idOf(cookie)), 'r')
    onTestFinished(() => closeSync(open))
    expect((await site.say('sessions', 'end', idOf(cookie), '--yes')).out).toBe('1 session ended\n')
    expect(fstatSync(open).size).toBe(0)
  })

  test('files that are older than a session lives count, as PHP takes them, and it is said', async () => {
    const { savePath, fileOf } = makeDirectory('', 0)
    const site = await startSite(php, savePath)
    const cookies = [await site.login(), await site.login()]
    utimesSync(fileOf(idOf(cookies[0] ?? '')), PAST, PAST)
    const { out } = await site.say('sessions')
    expect(out).toMatch(/^2 sessions .*\n +5 min {2}1 had a request in them$/ms)
    expect(out).toContain(
      'old     1 had no request for 24 min; PHP accepts them until their files are removed\n',
    )
    expect(out).toMatch(/up to 24 min +0$/m)
    expect(await site.ask('who', cookies[0])).toMatch(/user 42$/)
  })

  test('a directory that is missing is named', async () => {
    const { savePath } = makeDirectory('', 0)
    const site = await startSite(php, `${savePath}/gone`)
    for (const words of [[], ['show', 'abc'], ['end', 'abc', '--yes'], ['end', '--all', '--yes']]) {
      const { status, out, err } = await site.say('sessions', ...words)
      expect({ status, out }).toEqual({ status: 1, out: '' })
      expect(err).toMatch(
        /the directory \S+\/gone cannot be read \(PHP does not find it.*\(sessions\.store\)/,
      )
    }
  })

  test("the directory and the user of php-fpm's pool count", async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('only root can be several users')
    const { directory, fileOf } = makeDirectory('', 0)
    for (const [id, user] of [
      ['a1', 65534],
      ['b1', 33],
      ['c1', 0],
    ] as const) {
      writeFileSync(fileOf(id), 'user_id|i:42;', { mode: 0o600 })
      chownSync(fileOf(id), user, user)
    }
    const machine = await makeMachine({
      php,
      app: 'session.save_handler = files\nsession.save_path = /nowhere\nsession.gc_maxlifetime = 100\n',
      pool: `user = nobody\ngroup = nogroup\nphp_admin_value[session.save_path] = ${directory}\nphp_value[session.gc_maxlifetime] = 7200`,
    })
    const { out, err } = await run(machine, ['sessions', '--json'])
    expect(JSON.parse(out)).toMatchObject({ sessions: 1, lifetimeSeconds: 7200, store: { directory } })
    expect(err).toMatch(/^left out: files of .+ and .+, which are not for the app's PHP\n$/)
    const ended = await run(machine, ['sessions', 'end', '--all', '--yes'])
    expect(ended.out).toBe('1 session ended\n')
    expect(existsSync(fileOf('b1')) && existsSync(fileOf('c1'))).toBe(true)
  })

  test('files of others are left out, and root ends no sessions of several apps', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('only root can be several users')
    const { directory, savePath, fileOf } = makeDirectory('', 0)
    const site = await startSite(php, savePath)
    const own = (id: string, user: number) => {
      writeFileSync(fileOf(id), 'user_id|i:42;', { mode: 0o600 })
      chownSync(fileOf(id), user, user)
    }
    for (const [id, user] of [
      ['a1', 33],
      ['a2', 33],
      ['b1', 65534],
    ] as const)
      own(id, user)
    // As on Debian: all may make files there, and only root may list them.
    chmodSync(directory, 0o1733)
    chmodSync(dirname(directory), 0o755)
    expect((await site.say('sessions')).out).toMatch(/^3 sessions /)
    const refused = await site.say('sessions', 'end', '--all', '--yes')
    expect(refused).toMatchObject({ status: 1, out: '' })
    expect(refused.err).toMatch(/several apps, .*: they belong to .+ and .+ \(sessions\.user\)/)

    const { sayAsNobody } = site
    expect((await sayAsNobody('sessions')).err).toMatch(
      /cannot be read \(it belongs to user 0, mode 1733, and PHP runs as user 65534\)/,
    )
    expect((await sayAsNobody('sessions', 'show', 'a1')).err).toContain('(sessions.user)')
    expect((await sayAsNobody('sessions', 'end', 'a1', '--yes')).err).toContain('(sessions.user)')
    expect((await sayAsNobody('sessions', 'end', 'b1', '--yes')).out).toBe('1 session ended\n')
    chmodSync(directory, 0o1777)
    const all = await sayAsNobody('sessions', 'end', '--all', '--yes')
    expect(all.out).toBe('0 sessions ended\n')
    expect(all.err).toMatch(/left out: files of .+, which are not for the app's PHP/)
    expect((await site.say('sessions', 'end', '--all', '--yes')).out).toBe('2 sessions ended\n')
  })
})

const locks = async ({ say }: { say(...args: readonly string[]): Promise<{ out: string }> }) =>
  JSON.parse((await say('locks', '--json', '--ids')).out)

/** What a worker could plant among sessions, or another program has left there. */
function plant(directory: string, fileOf: (id: string) => string, depth: number) {
  const outside = makeScratch('outside')
  const content = 'user_id|i:42;'
  const file = (path: string) => {
    writeFileSync(path, content)
    return path
  }
  symlinkSync(file(join(outside, 'sess_0000aaaa')), fileOf('0000aaaa'))
  mkdirSync(fileOf('0000bbbb'))
  execFileSync('mkfifo', [fileOf('0000cccc')])
  const kept = ['sess_', 'sess_a.bak', 'sess_a b', 'user.txt'].map((name) => file(join(directory, name)))
  if (depth > 0) {
    const below = join(outside, ...'0'.repeat(depth - 1))
    mkdirSync(below, { recursive: true })
    kept.push(file(join(below, 'sess_z000')))
    symlinkSync(outside, join(directory, 'z'))
  }
  const all = [join(outside, 'sess_0000aaaa'), ...kept]
  const isAsBefore = () =>
    all.every((path) => readFileSync(path, 'utf8') === content) &&
    ['0000aaaa', '0000bbbb', '0000cccc'].every(
      (id) => lstatSync(fileOf(id), { throwIfNoEntry: false }) !== undefined,
    )
  return { ids: ['0000aaaa', '0000bbbb', '0000cccc', ...(depth > 0 ? ['z000'] : [])], isAsBefore }
}
