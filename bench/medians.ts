/** Measures each contender once a round, in turn, and gives the median of each: noise hits them all alike. */
export function medians(
  rounds: number,
  contenders: Readonly<Record<string, () => number>>,
): Readonly<Record<string, number>> {
  const samples = Object.fromEntries(Object.keys(contenders).map((name) => [name, [] as number[]]))
  for (let round = 0; round < rounds; round++)
    for (const [name, measure] of Object.entries(contenders)) samples[name]?.push(measure())
  return Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, median(values)]))
}

/** The value in the middle. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
