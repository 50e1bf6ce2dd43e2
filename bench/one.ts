import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NotHere, type Results, type Run } from './benchmark.ts'
import { BENCHMARKS } from './list.ts'
import { describeMachine, loadAverage, measureOthers, settle } from './parts/machine.ts'

// `one.ts NAME FOLDER [--quick]`: runs one benchmark and writes its file. bench/main.ts starts it and reads its progress.

const [name = '', folder = '', option] = process.argv.slice(2)
const isQuick = option === '--quick'
// Whoever started this is gone: the servers of the lab end with this process.
process.on('disconnect', () => process.exit(1))

const run: Run = {
  isQuick,
  pick: (quick, full) => (isQuick ? quick : full),
  progress: (done, of) => process.send?.(done / of),
}

try {
  const average = loadAverage()
  const before = await settle()
  const [date, start] = [new Date().toISOString(), performance.now()]
  const outcome = await BENCHMARKS[name]?.run(run)
  const seconds = Math.round((performance.now() - start) / 1000)
  const results: Results = {
    name,
    command: `scripts/bench${isQuick ? ' --quick' : ''} ${name}`,
    mode: isQuick ? 'quick' : 'full',
    date,
    machine: describeMachine(),
    load: { average, others: [before, await measureOthers()] },
    seconds,
    ...(outcome ?? { versions: {}, conditions: [], tables: {} }),
  }
  const file = join(folder, `${name}${isQuick ? '.quick' : ''}.json`)
  writeFileSync(file, renderResults(results))
  process.exit()
} catch (error) {
  process.stderr.write(
    `${error instanceof NotHere ? `not measured: ${error.message}` : String((error as Error).stack)}\n`,
  )
  process.exit(error instanceof NotHere ? 3 : 1)
}

/** JSON in which a list of figures is one line. */
function renderResults(results: Results): string {
  const text = JSON.stringify(results, undefined, 2)
  return `${text.replace(/\[\s+(-?[\d.e+]+(?:,\s+-?[\d.e+]+)*)\s+\]/g, (_, list: string) => `[${list.replaceAll(/\s+/g, ' ')}]`)}\n`
}
