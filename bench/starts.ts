import { execFileSync } from 'node:child_process'
import { inTurn, median } from './medians.ts'

const ROUNDS = 9

/** A command line whose start and end are measured. */
export interface StartContender {
  readonly name: string
  readonly command: string
  /** How many starts make one measurement. */
  readonly starts: number
  /** The environment and the working directory of one measurement. */
  readonly place: () => {
    readonly env: Readonly<Record<string, string | undefined>>
    readonly cwd?: string
  }
}

/** Measures commands in turn and prints the median of each, and its ratio to that of the first. */
export async function compareStarts(what: string, contenders: readonly StartContender[]): Promise<void> {
  const names = contenders.map(({ name }) => name)
  const runs = await inTurn(ROUNDS, names, (name) =>
    measure(contenders[names.indexOf(name)] as StartContender),
  )
  const times = names.map((name) => median(runs[name] ?? []))
  process.stdout.write(`${what}, median of ${ROUNDS} alternating rounds\n`)
  for (const [i, name] of names.entries()) {
    const [time = 0, first = 1] = [times[i], times[0]]
    const [milliseconds, ratio] = [time.toFixed(2).padStart(7), (time / first).toFixed(1).padStart(6)]
    process.stdout.write(`  ${name.padEnd(40)} ${milliseconds} ms  ${ratio} x\n`)
  }
}

/** Milliseconds for one start. A shell does many, so that the time that Node needs to start a program does not count. */
function measure({ command, starts, place }: StartContender): number {
  const script = `for ((i = 0; i < ${starts}; i++)); do ${command} > /dev/null 2>&1; done`
  const options = place()
  const before = process.hrtime.bigint()
  execFileSync('bash', ['--norc', '-c', script], options)
  return Number(process.hrtime.bigint() - before) / 1e6 / starts
}
