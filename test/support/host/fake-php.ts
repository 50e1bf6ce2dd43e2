import type { Program, ProgramResult } from '../../../src/host/host.ts'
import type { Answers, ProbeName } from '../../../src/php/ask.ts'

/** What a PHP answers to each probe. */
export type FakeAnswers = { readonly [Name in ProbeName]?: Partial<Answers[Name]> }

/** Stands for a PHP that answers these probes. Every other program is missing. */
export function fakePhp(answers: FakeAnswers): (program: Program) => ProgramResult {
  return ({ args }) => {
    // `askPhp` promises that the last argument is the name of the probe.
    const asked = Object.entries(answers).find(([name]) => name === args.at(-1))
    return asked === undefined ? { status: 127, stdout: '' } : { status: 0, stdout: JSON.stringify(asked[1]) }
  }
}
