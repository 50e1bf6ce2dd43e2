import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeScratch } from '../../lab/processes/scratch.ts'

const ROOT = join(import.meta.dirname, '../..')
const LIMIT = { timeout: 100_000, interval: 200 }

function startBench(folder: string, names: readonly string[], env: Readonly<Record<string, string>>) {
  const args = ['--import', 'tsx', 'bench/main.ts', '--quick', '--results', folder, ...names]
  // A group of its own, as a command in a terminal has: Ctrl-C goes to all of it.
  return spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env }, detached: true })
}

test('a benchmark that fails costs no other its results', async () => {
  const folder = makeScratch('bench')
  writeFileSync(join(folder, 'musl-gcc'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  const bench = startBench(folder, ['start', 'eviction'], { PATH: `${folder}:${process.env.PATH}` })
  let said = ''
  bench.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  bench.stdout.resume()
  const [status] = await once(bench, 'close')
  expect(status).toBe(1)
  expect(said).toContain('these failed, the others have their results: start')
  expect(readdirSync(folder).filter((name) => name.endsWith('.json'))).toEqual(['eviction.quick.json'])
  const results = JSON.parse(readFileSync(join(folder, 'eviction.quick.json'), 'utf8'))
  expect(results).toMatchObject({
    name: 'eviction',
    mode: 'quick',
    load: { others: [expect.any(Number), expect.any(Number)] },
  })
})

test('Ctrl-C ends the servers of a benchmark, too', async () => {
  const mark = randomUUID()
  const bench = startBench(makeScratch('bench'), ['redis'], { BENCH_MARK: mark })
  bench.stdout.resume()
  bench.stderr.resume()
  const running = () => commandsWith(`BENCH_MARK=${mark}`)
  await expect.poll(running, LIMIT).toContain('redis-server')
  process.kill(-(bench.pid ?? 0), 'SIGINT')
  await expect.poll(running, LIMIT).toEqual([])
})

/** The names of the processes that have this in their environment. */
function commandsWith(variable: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const has = readFileSync(`/proc/${pid}/environ`, 'utf8').includes(variable)
        return has ? [readFileSync(`/proc/${pid}/comm`, 'utf8').trim()] : []
      } catch {
        return []
      }
    })
}
