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

/** The median of the ratios within a round, with the least and the greatest ratio. */
export function ratio<What extends string>(
  own: readonly Readonly<Record<What, number>>[],
  base: readonly Readonly<Record<What, number>>[] | undefined,
  what: What,
): string {
  const ratios = own.map((run, i) => run[what] / (base?.[i]?.[what] ?? Number.NaN))
  const [middle, least, greatest] = [median(ratios), Math.min(...ratios), Math.max(...ratios)]
  return `${middle.toFixed(2)} (${least.toFixed(2)}-${greatest.toFixed(2)})`
}
