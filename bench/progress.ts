/** One of the benchmarks that run, and the minutes that it is expected to take. */
export interface Expected {
  readonly name: string
  readonly minutes: number
}

const WIDTH = 20
/** How far the machine may differ from the one that the expected minutes are of. */
const [LEAST_PACE, GREATEST_PACE] = [0.5, 4]

/** The minutes that are left: what is expected of the rest, at the pace of what is done. */
export function minutesLeft(
  all: readonly Expected[],
  at: number,
  fraction: number,
  minutesSoFar: number,
): number {
  const expected = (some: readonly Expected[]) => some.reduce((sum, { minutes }) => sum + minutes, 0)
  const current = all[at]?.minutes ?? 0
  const done = expected(all.slice(0, at)) + current * fraction
  // The first minute says little.
  const pace = done < 0.2 ? 1 : Math.min(GREATEST_PACE, Math.max(LEAST_PACE, minutesSoFar / done))
  return pace * (expected(all.slice(at)) - current * fraction)
}

/** One line: how many are done, the one that runs and how far it is, and the time left. */
export function progressLine(
  all: readonly Expected[],
  at: number,
  fraction: number,
  minutesSoFar: number,
): string {
  const filled = Math.round(fraction * WIDTH)
  const bar = '#'.repeat(filled) + '-'.repeat(WIDTH - filled)
  const left = minutesLeft(all, at, fraction, minutesSoFar)
  const time = left < 1 ? 'less than a minute left' : `${Math.ceil(left)} min left`
  return `[${at + 1}/${all.length}] ${(all[at]?.name ?? '').padEnd(17)} ${bar} ${time}`
}
