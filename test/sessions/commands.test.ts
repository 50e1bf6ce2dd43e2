import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { CANARY, memcachedService, redisService } from '../../lab/bindings.ts'
import { differs, phpWith } from '../doctor/answers.ts'
import { counted, ended, inFiles, lock, locked, MOVING, said, sessions, shown, type World } from './world.ts'

test.each<[string, readonly string[], World?]>([
  ['a count', []],
  [
    'a count that compares, with ids',
    ['--since', '/last.json', '--ids'],
    {
      files: { '/last.json': JSON.stringify({ time: 1_799_999_400, sessions: 40_000, bytes: 13_000_000 }) },
      answers: {
        count: {
          ...counted,
          eternal: 3,
          largest: [
            { bytes: 98_765, id: 'abc' },
            { bytes: 5, id: 'd\u001b' },
          ],
        },
      },
    },
  ],
  [
    'a count with a first lifetime',
    [],
    {
      env: { PHP_SESSIONS_HANDLER: 'managed', PHP_SESSIONS_FIRST_LIFETIME: '60' },
      answers: { count: { ...counted, short: 30_000 } },
    },
  ],
  [
    'no session at all',
    [],
    {
      answers: {
        count: {
          ...counted,
          sessions: 0,
          bytes: 0,
          active: counted.active.map(() => 0),
          frequent: null,
          largest: [],
        },
      },
    },
  ],
  ['an earlier count that is none', ['--since', '/nowhere.json']],
  ['what is in a session', ['show', 'abc']],
  [
    'values, and a format that is not known',
    ['show', 'abc', '--values'],
    {
      answers: {
        show: {
          ...shown,
          format: null,
          plainBytes: 500,
          seconds: null,
          variables: [{ name: 'a', type: 'string', size: 1, value: '\u001b' }],
        },
      },
    },
  ],
  ['a session that is not there', ['show', 'abc'], { answers: { show: { isThere: false } } }],
  ['an end that nobody can confirm', ['end', '--all']],
  ['an end that is confirmed', ['end', '--where', 'user_id=42'], { says: 'y' }],
  ['an end that is declined', ['end', 'abc'], { says: '' }],
  ['an end for scripts', ['end', '--all', '--yes', '--json']],
  [
    'an end with nothing to end',
    ['end', '--all'],
    { answers: { end: { ...ended, count: 0, unreadable: 2 } } },
  ],
  ['an end by the managed handler', ['end', '--all', '--yes'], { env: { PHP_SESSIONS_HANDLER: 'managed' } }],
  [
    'an end without locks',
    ['end', '--all', '--yes'],
    {
      env: { PHP_SESSIONS_HANDLER: 'managed', PHP_SESSIONS_LOCKING: 'off' },
    },
  ],
  ['who has the sessions', ['locks']],
  ['no lock', ['locks'], { answers: { locks: { ...locked, locks: 0, longest: [] } } }],
  ['locks that are off', ['locks'], { env: { PHP_SESSIONS_LOCKING: 'off' } }],
  [
    'locks of local files',
    ['locks'],
    inFiles('locks', { ...locked, locks: 1, longest: [{ ...lock, handler: 'native', endsInSeconds: null }] }),
  ],
  ['an end of nothing', ['end']],
  ['an end of two things', ['end', 'abc', '--all']],
  [
    'a framework that keeps its sessions itself',
    [],
    { files: { '/app/composer.json': '{"require":{"laravel/framework":"^11"}}' } },
  ],
  [
    'sessions elsewhere',
    [],
    {
      services: [],
      answers: { settings: phpWith({ 'session.save_handler': differs('redis', '/etc/php/mine.ini:3') }) },
    },
  ],
  ['local files', [], inFiles('count', { ...counted, overdue: 3 }, [33], [0, 1000])],
  ['a file of another user', ['show', 'abc'], inFiles('show', { isThere: false }, [], [33])],
  ['an end of local files', ['end', '--all', '--yes'], inFiles('end', ended, [33, 0])],
  ['an end of files of several apps', ['end', '--all', '--yes'], inFiles('end', ended, [33, 1000])],
  ['an end of a file of another user', ['end', 'abc'], inFiles('end', { ...ended, count: 0 }, [], [33])],
  [
    'local files that cannot be read',
    [],
    inFiles('count', { failed: 'the directory /var/lib/php/sessions cannot be read' }),
  ],
  [
    'a pool of Memcached servers',
    ['end', '--all', '--yes'],
    { services: [{ ...memcachedService, credentials: { servers: 'm1:11211,m2:11211' } }] },
  ],
  [
    'an end while sessions move, and requests have some of them',
    ['end', '--all', '--yes'],
    {
      ...MOVING,
      answers: {
        end: { ...ended, held: 2, why: 'others have held this session for 30 seconds, behind GET /export' },
      },
    },
  ],
  ['a PHP that is too old', [], { answers: { settings: { ...phpWith({}), version: '7.4' } } }],
  ['a PHP that dies', [], { answers: { count: undefined } }],
  ['a store that refuses', [], { answers: { count: { failed: `10.0.4.30:6379: NOPERM ${CANARY}` } } }],
  [
    'credentials that cannot be used',
    [],
    { services: [{ ...redisService, credentials: { password: CANARY } }] },
  ],
])('says: %s', (_name, args, world) => {
  const result = said(sessions(args, world))
  expect(result).toMatchSnapshot()
  expect(result.out + result.err).not.toContain(CANARY)
  expect(['\u001b', '\u202e'].filter((deceptive) => result.out.includes(deceptive))).toEqual([])
})

test('nothing is changed before it is confirmed: the first question is a trial', () => {
  const isTrial = ({ programs }: ReturnType<typeof sessions>) =>
    programs.map(({ stdin }) => (JSON.parse(stdin) as { isTrial: boolean }).isTrial)
  expect(isTrial(sessions(['end', '--all']))).toEqual([true])
  expect(isTrial(sessions(['end', '--all'], { says: 'no' }))).toEqual([true])
  expect(isTrial(sessions(['end', '--all'], { says: 'y' }))).toEqual([true, false])
  expect(isTrial(sessions(['end', '--all', '--yes']))).toEqual([true, false])
})

test('the password is on the stdin of PHP and nowhere else', () => {
  const [program] = sessions([]).programs
  expect(program?.stdin).toContain(JSON.stringify(CANARY))
  expect(program?.args.join(' ')).not.toContain(CANARY)
})

test('every program fits into one argument of a command line', () => {
  const all = [[], ['show', 'abc'], ['end', '--all', '--yes'], ['locks']].flatMap(
    (args) => sessions(args).programs,
  )
  all.push(...sessions(['end', '--all', '--yes'], MOVING).programs)
  // MAX_ARG_STRLEN of Linux.
  for (const { args } of all) expect(Math.max(...args.map((arg) => arg.length))).toBeLessThan(131_072)
})

test('--json is as docs/sessions.schema.json says', () => {
  const validate = new Ajv2020().compile(JSON.parse(readFileSync('docs/sessions.schema.json', 'utf8')))
  const world = { files: { '/last.json': JSON.stringify({ time: 1, sessions: 2, bytes: 3 }) } }
  for (const args of [
    ['--json'],
    ['--json', '--since', '/last.json'],
    ['show', 'abc', '--json'],
    ['end', '--all', '--yes', '--json'],
    ['locks', '--json'],
  ])
    expect(validate(JSON.parse(sessions(args, world).out)) || validate.errors).toBe(true)
  for (const [args, of] of [
    [['--json'], inFiles('count', counted)],
    [['locks', '--json'], inFiles('locks', locked)],
  ] as const)
    expect(validate(JSON.parse(sessions(args, of).out)) || validate.errors).toBe(true)
  expect(validate({ version: 1 })).toBe(false)
})
