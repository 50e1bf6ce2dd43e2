import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { BENCHMARKS, minutesOf, namesOf, renderList } from './list.ts'
import { progressLine } from './progress.ts'

// `scripts/bench [--quick] [NAME...]`: runs benchmarks one after the other, each in a process of its own, so that one that
// fails costs no other its results; then makes the page of figures and its plots from the files.

const STATUS_NOT_HERE = 3

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    /** The folder of the results. */
    results: { type: 'string', default: join(import.meta.dirname, 'results') },
  },
})
const names = positionals.length > 0 ? positionals : namesOf(values.quick)
const unknown = names.filter((name) => !(name in BENCHMARKS))
if (unknown.length > 0)
  fail(`no benchmark is called ${unknown.join(', ')}; there are ${Object.keys(BENCHMARKS).join(', ')}`)
if (values.list) {
  process.stdout.write(renderList(names))
  process.exit()
}
const expected = names.map((name) => ({ name, minutes: minutesOf([name], values.quick) }))

const start = performance.now()
const isTerminal = process.stdout.isTTY === true
const failed: string[] = []
for (const [at, name] of names.entries()) {
  const show = (fraction: number) => {
    const line = progressLine(expected, at, fraction, (performance.now() - start) / 60_000)
    process.stdout.write(isTerminal ? `\r\x1b[K${line}` : `${line}\n`)
  }
  show(0)
  const { status, said } = await runOne(name, isTerminal ? show : () => {})
  if (isTerminal) process.stdout.write('\r\x1b[K')
  if (said !== '') process.stdout.write(`${name}: ${said}`)
  if (status !== 0 && status !== STATUS_NOT_HERE) failed.push(name)
}
const minutes = Math.round((performance.now() - start) / 60_000)
process.stdout.write(`${names.length} benchmarks, ${minutes} min; results are in ${values.results}\n`)
if (failed.length > 0) fail(`these failed, the others have their results: ${failed.join(', ')}`)

/** Runs one benchmark. A signal that ends this process ends that one, and with it all that it has started. */
async function runOne(name: string, show: (fraction: number) => void) {
  const args = ['--import', 'tsx', join(import.meta.dirname, 'one.ts'), name, values.results]
  const child = spawn(process.execPath, [...args, ...(values.quick ? ['--quick'] : [])], {
    cwd: join(import.meta.dirname, '..'),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  child.on('message', (fraction) => show(Number(fraction)))
  const stop = () => {
    child.kill('SIGTERM')
    process.exit(130)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, stop)
  const status = await new Promise<number>((resolve) => child.on('close', (code) => resolve(code ?? 1)))
  for (const signal of signals) process.off(signal, stop)
  return { status, said }
}

function fail(why: string): never {
  process.stderr.write(`${why}\n`)
  process.exit(1)
}
