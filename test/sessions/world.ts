import { redisService, type Service, vcapServices } from '../../lab/bindings.ts'
import { main } from '../../src/cli/main.ts'
import type { Program } from '../../src/host/host.ts'
import { is, phpWith } from '../doctor/answers.ts'
import { type FakeHost, fakeHost } from '../support/host/fake-host.ts'

export interface World {
  readonly services?: readonly Service[]
  readonly env?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
  /** What PHP answers to probes and programs, by their names; undefined where it says nothing. */
  readonly answers?: Readonly<Record<string, object | undefined>>
  /** What the user answers. */
  readonly says?: string
}

export const counted = {
  time: 1_800_000_000,
  lifetime: 1440,
  sessions: 41_234,
  eternal: 0,
  overdue: 0,
  bytes: 12_345_678,
  active: [1234, 5678, 41_234, 321, 1234, 5678, 41_234, 41_234, 41_234, 41_234, 41_234],
  short: 0,
  frequent: { bytes: 45, sessions: 30_000 },
  largest: [{ bytes: 98_765, id: null }],
}

export const lock = {
  handler: 'unknown',
  instance: null,
  process: null,
  method: null,
  path: null,
  heldSeconds: null,
  endsInSeconds: 50.5,
  waiting: 0,
  id: null,
}
export const locked = {
  time: 1_800_000_000,
  locks: 104,
  waiting: 5,
  longest: [
    {
      ...lock,
      handler: 'managed',
      instance: '1',
      process: 333,
      method: 'POST',
      path: '/export\u001b',
      heldSeconds: 12.34,
      waiting: 4,
    },
    { ...lock, handler: 'native', instance: 'web-1', process: 12, endsInSeconds: null, id: 'abc' },
    { ...lock, handler: 'next', waiting: 1 },
    lock,
  ],
}

export const shown = {
  isThere: true,
  bytes: 131,
  plainBytes: 131,
  seconds: 1200,
  format: 'php',
  variables: [
    { name: 'user_id', type: 'int' },
    { name: 'name\u001b[2J\u202e', type: 'string', size: 11 },
    {
      name: 'user',
      type: 'object',
      class: 'App\\User',
      size: 2,
      items: [{ name: 'email', type: 'string', size: 9 }],
    },
  ],
}

export const ended = { count: 12, unreadable: 0, held: 0, why: '' }

/** An app without a service, whose files belong to these users. */
export const inFiles = (
  program: string,
  answer: object,
  owners = [33],
  others: readonly number[] = [],
): World => ({
  services: [],
  files: { '/etc/passwd': 'root:x:0:0::/:/bin/sh\nwww-data:x:33:33::/:/bin/sh\n' },
  answers: {
    settings: phpWith({ 'session.save_handler': is('files') }),
    [program]: { ...answer, files: { directory: '/var/lib/php/sessions', owners, others } },
  },
})
export const MOVING: World = {
  services: [redisService, { name: 'old', label: 'memcached', credentials: { servers: 'm:11211' } }],
  env: { PHP_SESSIONS_PREVIOUS: 'old' },
}

export function sessions(args: readonly string[], world: World = {}) {
  const answers: World['answers'] = {
    settings: phpWith({}),
    'look-around': { versionId: 80400, lines: [], pools: [] },
    count: counted,
    show: shown,
    end: ended,
    locks: locked,
    ...world.answers,
  }
  const asked: Program[] = []
  const host: FakeHost = {
    ...fakeHost(
      {
        VCAP_APPLICATION: '{}',
        VCAP_SERVICES: vcapServices(...(world.services ?? [redisService])),
        ...world.env,
      },
      world.files ?? {},
    ),
    run: (program) => {
      asked.push(program)
      const answer = answers[program.args.at(-1) ?? '']
      return answer === undefined
        ? { status: 255, stdout: '' }
        : { status: 0, stdout: JSON.stringify(answer) }
    },
    ask: (question) => {
      if (world.says !== undefined) host.err(question)
      return world.says
    },
  }
  const words = args[0] === 'locks' ? args : ['sessions', ...args]
  const status = main(host, [...words, '--app', '/app'])
  const programs = asked.filter(({ keepsStderr }) => keepsStderr === true)
  return { status, ...host.output, programs }
}

export const said = ({ status, out, err }: ReturnType<typeof sessions>) => ({ status, out, err })
