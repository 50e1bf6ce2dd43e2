/** Runs each contender once a round, one after the other, so that noise affects them all alike. */
export async function inTurn<Run>(
  rounds: number,
  names: readonly string[],
  run: (name: string) => Promise<Run> | Run,
): Promise<Readonly<Record<string, readonly Run[]>>> {
  const runs: Record<string, Run[]> = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) for (const name of names) runs[name]?.push(await run(name))
  return runs
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** What was measured in each round, by what it is. */
export function byMeasure(
  rounds: readonly Readonly<Record<string, number>>[],
): Readonly<Record<string, readonly number[]>> {
  const names = Object.keys(rounds[0] ?? {})
  return Object.fromEntries(names.map((name) => [name, rounds.map((round) => shorten(round[name] ?? 0))]))
}

/** Four digits. */
export function shorten(value: number): number {
  return Number(value.toPrecision(4))
}
