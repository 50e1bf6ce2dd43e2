import { once } from 'node:events'
import { createServer } from 'node:http'
import { ADA } from '../../../playground/scenes/measures.ts'
import { makePage } from '../../../playground/server/page.ts'
import type {
  LaneView,
  Recent,
  Second,
  Snapshot,
  StoryEntry,
  Tone,
} from '../../../playground/server/snapshot.ts'

const NOW = 100
const QUIET: Second = {
  ...{ known: 0, stranger: 0, refused: 0, failed: 0, lost: 0 },
  ...{ p50: undefined, p99: undefined },
}

/** Seconds as letters: k(nown), l(ost), r(efused), f(ailed); the last ones. */
function seconds(letters: string): readonly Second[] {
  const found = [...letters].map((letter, at): Second => {
    const [p50, p99] = [20 + ((at * 7) % 11), 40 + ((at * 13) % 29)]
    if (letter === 'k') return { ...QUIET, known: 1, p50, p99 }
    if (letter === 'l') return { ...QUIET, known: 1, stranger: 1, lost: 1, p50, p99 }
    if (letter === 'r') return { ...QUIET, refused: 1, p50: 2400, p99: 3100 }
    return letter === 'f' ? { ...QUIET, failed: 1, p50, p99 } : QUIET
  })
  return [...Array.from({ length: 60 - found.length }, () => QUIET), ...found]
}

function recent(letters: string): readonly Recent[] {
  const tones: Readonly<Record<string, Tone>> = { k: 'known', l: 'stranger', r: 'refused', f: 'failed' }
  return [...letters].map((letter, number) => ({
    number,
    instance: letter === 'f' ? undefined : number % 2,
    outcome: tones[letter] ?? 'known',
  }))
}

const FILES: LaneView = {
  id: '0',
  title: 'local files',
  url: 'http://127.0.0.1:1/',
  isPromised: false,
  because: 'Nothing is bound: each instance keeps its own sessions, on its own disk.',
  store: undefined,
  can: [],
  instances: [
    { index: 0, state: 'down', requests: 41 },
    { index: 1, state: 'up', requests: 1 },
  ],
  underWay: 0,
  visitors: [{ name: ADA, state: 'stranger', updates: 1, books: 1 }],
  acknowledged: 33,
  lost: 12,
  loggedOut: 7,
  statuses: { 200: 42, 'no answer': 1 },
  recent: recent('klkkkkkkkllkkkkfkkkkk'),
  lock: undefined,
  waited: 0,
  seconds: seconds('kkkkkkkkkklkkkkkkkllkkkkfkkkkk'),
}

const MANAGED: LaneView = {
  ...FILES,
  id: '1',
  title: 'php-sessions, managed handler, Redis',
  isPromised: true,
  because:
    'Sessions are kept in Redis service app-redis-sessions (127.0.0.1:6379), because its name contains redis-sessions.',
  store: { title: 'Redis', state: 'up' },
  can: ['freeze', 'restart', 'rotate'],
  instances: [
    { index: 0, state: 'up', requests: 20 },
    { index: 1, state: 'starting', requests: 23 },
  ],
  visitors: [
    { name: ADA, state: 'known', updates: 33, books: 30 },
    { name: 'Grace', state: 'refused', updates: 2, books: 1 },
  ],
  lost: 0,
  loggedOut: 0,
  statuses: { 200: 42, 503: 2 },
  recent: recent('kkkkkkkkrrkkkkkkkkkkk'),
  lock: undefined,
  waited: 1234,
  seconds: seconds('kkkkkkkkkkkkkkkkrrkkkkkkkkkkkk'),
}

const told = (entry: Partial<StoryEntry>, number: number): StoryEntry => ({
  ...{ number, second: NOW - 40 + 7 * number, times: 1, lane: undefined, tone: 'plain', page: undefined },
  text: '',
  ...entry,
})

/** What the page shows in a picture that never changes: a scene that has ended, faults of each kind, long words. */
export const STILL: Snapshot = {
  changes: 1,
  busy: undefined,
  problem: undefined,
  isSticky: false,
  isClicking: true,
  isLoaded: false,
  scene: {
    id: 'crash',
    title: 'An instance crashes',
    about:
      'An instance dies, as in an update of the platform, and the visitors that it served are logged out.',
    page: 'docs/cloudfoundry.md',
    steps: ['Ada logs in and clicks', 'the instance that served her crashes', 'Ada clicks on'],
    begun: 3,
    results: [
      { ...{ lane: FILES.title, isPromised: false, promised: 'logged out', seen: '7×' }, isKept: true },
      {
        ...{ lane: MANAGED.title, isPromised: true, promised: 'nobody is logged out', seen: 'nobody' },
        isKept: true,
      },
      {
        ...{ lane: MANAGED.title, isPromised: true, promised: 'no update lost', seen: 'none of 33' },
        isKept: true,
      },
    ],
  },
  lanes: [FILES, MANAGED],
  now: NOW,
  marks: [
    { second: NOW - 20, text: 'instance 0 killed' },
    { second: NOW - 13, text: 'stores frozen' },
    { second: NOW - 11, text: 'stores thawed' },
  ],
  story: [
    told({ text: 'Instance 0 is killed without a warning, as in a crash.', page: 'docs/cloudfoundry.md' }, 0),
    told(
      {
        lane: FILES.title,
        tone: 'bad',
        times: 7,
        text: 'Ada is logged out, and 12 acknowledged updates are gone.',
      },
      1,
    ),
    told(
      {
        lane: MANAGED.title,
        text: `An answer ${'that is long '.repeat(12)}and_without_a_place_to_break_${'x'.repeat(40)}`,
      },
      2,
    ),
    told({ lane: MANAGED.title, tone: 'good', text: 'Ada is served again, and is still logged in.' }, 3),
  ],
}

/** Serves the page with one snapshot; the connection stays open. */
export async function startStill(snapshot: Snapshot): Promise<{ readonly url: string; stop(): void }> {
  const page = makePage(false)
  const server = createServer(({ url }, outgoing) => {
    if (url !== '/events') return outgoing.writeHead(200, page.headers).end(page.html)
    return outgoing
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .write(`data: ${JSON.stringify(snapshot)}\n\n`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  return {
    url: `http://127.0.0.1:${port}/`,
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
