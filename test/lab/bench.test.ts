import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
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
  writeFileSync(join(folder, 'gcc'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
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
  const bench = startBench(makeScratch('bench'), ['redis'], {})
  bench.stdout.resume()
  bench.stderr.resume()
  const pid = bench.pid ?? 0
  await expect.poll(() => programsBelow(pid).map(({ name }) => name), LIMIT).toContain('redis-server')
  const started = programsBelow(pid)
  process.kill(-pid, 'SIGINT')
  await expect.poll(() => started.filter((program) => existsSync(`/proc/${program.pid}`)), LIMIT).toEqual([])
})

/** The processes that this one has started, and those that they have started. */
function programsBelow(parent: number): readonly { readonly pid: number; readonly name: string }[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const [, name = '', ppid] = /\((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
        return [{ pid: Number(pid), name, ppid: Number(ppid) }]
      } catch {
        return []
      }
    })
  const below = (of: number): typeof all =>
    all.filter(({ ppid }) => ppid === of).flatMap((program) => [program, ...below(program.pid)])
  return below(parent)
}
