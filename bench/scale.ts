import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { measurePlainConnections, measureWorkers } from './scale/connections.ts'
import { measureHandshakes } from './scale/handshakes.ts'
import { measureMemcached } from './scale/memcached.ts'
import { measurePages, type PageCase } from './scale/pages.ts'
import { measureRestart } from './scale/restart.ts'
import { measureSessions } from './scale/sessions.ts'
import { measureSlots, measureTurns } from './scale/slots.ts'
import { measureWaits } from './scale/waits.ts'
import { php } from './scale/workers.ts'

// What sessions cost a store, as docs/scale.md needs it: `scale.ts [SECTION ...]` measures these, or all, and writes
// them into bench/results/scale.json.

const FILE = join(import.meta.dirname, 'results/scale.json')

const page = (changes: Partial<PageCase>): PageCase => ({
  handler: 'managed',
  tls: false,
  masters: 1,
  workers: 8,
  kilobytes: 1,
  ...changes,
})

const PAGES: readonly PageCase[] = [
  ...[false, true].flatMap((tls) => [page({ tls }), page({ tls, handler: 'native' })]),
  ...[10, 100].flatMap((kilobytes) => [page({ kilobytes }), page({ kilobytes, tls: true })]),
  ...[50, 200, 400].flatMap((workers) => [page({ workers }), page({ workers, tls: true })]),
]

const CLUSTERS: readonly PageCase[] = [
  ...[3, 6].flatMap((masters) => [
    page({ masters }),
    page({ masters, tls: true }),
    page({ masters, handler: 'native' }),
  ]),
  page({ masters: 6, workers: 50 }),
]

const BOTH = [false, true]

const SECTIONS: Readonly<Record<string, () => Promise<unknown>>> = {
  pages: () => inOrder(PAGES, measurePages),
  clusters: () => inOrder(CLUSTERS, measurePages),
  workers: () =>
    inOrder(
      [8, 50, 200, 400].flatMap((count) => BOTH.map((tls) => () => measureWorkers(count, tls))),
      (run) => run(),
    ),
  connections: () => inOrder([1000, 8000], measurePlainConnections),
  handshakes: () => inOrder(['plain', 'TLSv1.2', 'TLSv1.3'] as const, measureHandshakes),
  sessions: () => inOrder([1, 10, 100], measureSessions),
  waits: () =>
    inOrder(
      [
        () => measureWaits('managed', 20),
        () => measureWaits('managed', 100),
        () => measureWaits('native', 20),
      ],
      (run) => run(),
    ),
  restart: () =>
    inOrder(
      [100, 400].flatMap((count) => BOTH.map((tls) => () => measureRestart(count, tls))),
      (run) => run(),
    ),
  slots: () => inOrder([3, 6], measureSlots),
  turns: () => measureTurns(8, 200),
  memcached: measureMemcached,
  signatures: async () => signatures(),
}

async function inOrder<One, Result>(
  ones: readonly One[],
  measure: (one: One) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  for (const one of ones) {
    results.push(await measure(one))
    console.error(JSON.stringify(results.at(-1)))
  }
  return results
}

/** What the server's part of a TLS handshake costs most: a signature, in microseconds. */
function signatures(): Readonly<Record<string, number>> {
  const text = execFileSync('openssl', ['speed', '-mr', '-seconds', '2', 'rsa2048', 'ecdsap256'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  // It prints how many it does in a second.
  const microseconds = (line: RegExp) => 1e6 / Number(line.exec(text)?.[1])
  return {
    rsa2048: microseconds(/^\+F2:\d+:2048:([\d.e-]+)/m),
    ecdsaP256: microseconds(/^\+F4:\d+:256:([\d.e-]+)/m),
  }
}

// What is measured is what is in src/ now.
execFileSync(join(import.meta.dirname, '../scripts/build'))
const { positionals } = parseArgs({ allowPositionals: true })
for (const name of positionals.length === 0 ? Object.keys(SECTIONS) : positionals) {
  const run = SECTIONS[name]
  if (run === undefined) throw new Error(`no section ${name}: ${Object.keys(SECTIONS).join(', ')}`)
  console.error(name)
  const result = await run()
  const kept = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as object) : {}
  const machine = {
    php: php.name,
    redis: execFileSync('redis-server', ['--version'], { encoding: 'utf8' }).split(' ')[2]?.slice(2),
    memcached: execFileSync('memcached', ['--version'], { encoding: 'utf8' }).trim().split(' ')[1],
    processor: `${cpus().length} x ${cpus()[0]?.model}`,
    load: loadavg()[0],
    date: new Date().toISOString().slice(0, 10),
  }
  writeFileSync(FILE, `${JSON.stringify({ ...kept, machine, [name]: result }, undefined, 1)}\n`)
}
