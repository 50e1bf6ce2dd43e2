import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Table } from '../benchmark.ts'
import { byMeasure, inTurn } from './medians.ts'

/** A command line whose start and end are measured. */
export interface StartContender {
  readonly command: string
  /** How many starts make one measurement. */
  readonly starts: number
  /** The environment and the working directory of one measurement. */
  readonly place: () => {
    readonly env: Readonly<Record<string, string | undefined>>
    readonly cwd?: string
  }
}

/** Measures commands in turn: the milliseconds of one start and end. */
export async function compareStarts(
  rounds: number,
  contenders: Readonly<Record<string, StartContender>>,
  step: () => void,
): Promise<Table> {
  const runs = await inTurn(rounds, Object.keys(contenders), async (name) => {
    const ms = await measure(contenders[name] as StartContender)
    step()
    return { ms }
  })
  return Object.fromEntries(Object.entries(runs).map(([name, own]) => [name, byMeasure(own)]))
}

/** A shell does many starts, so that the time that Node needs to start a program does not count. */
async function measure({ command, starts, place }: StartContender): Promise<number> {
  const script = `for ((i = 0; i < ${starts}; i++)); do ${command} > /dev/null 2>&1 || exit 1; done`
  const options = place()
  const before = performance.now()
  const shell = spawn('bash', ['--norc', '-c', script], { ...options, stdio: 'ignore' })
  const [status] = await once(shell, 'exit')
  if (status !== 0) throw new Error(`${command} failed`)
  return (performance.now() - before) / starts
}
