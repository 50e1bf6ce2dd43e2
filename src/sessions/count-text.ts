import { oneLine } from '../core/text.ts'
import type { Census } from './census.ts'
import { renderPlace } from './local-files.ts'

const CELLS = 30

/** Renders a census for people; fits 80 columns. */
export function renderCensus(census: Census): string {
  const { sessions, bytes, active, largest, eternal, overdue, lifetimeSeconds, store, since } = census
  const average = sessions === 0 ? 0 : bytes / sessions
  return [
    `${counted(sessions)} in ${renderPlace(store)}`,
    ...active.map(
      (row) => `  ${String(row.minutes).padStart(2)} min  ${amount(row.sessions)} had a request in them`,
    ),
    `  bytes   ${amount(bytes)}, ${amount(average)} each, the largest ${amount(largest[0]?.bytes ?? 0)}`,
    ...(largest.some(({ id }) => id !== null)
      ? largest.map(({ bytes: size, id }) => `          ${amount(size).padStart(11)}  ${oneLine(id ?? '')}`)
      : []),
    ...describeBots(census),
    ...(eternal === 0 ? [] : [`  ${amount(eternal)} never expire: no handler of PHP writes such sessions`]),
    ...(overdue === 0
      ? []
      : [
          `  old     ${amount(overdue)} had no request for ${duration(lifetimeSeconds)}; PHP accepts them until their files are removed`,
        ]),
    ...(since === null
      ? []
      : [
          `  since   ${signed(since.sessions)} sessions, ${signed(since.bytes)} bytes in ${duration(since.seconds)}`,
        ]),
    '',
    `Since their last request (they live for ${duration(lifetimeSeconds)} after it):`,
    ...renderBars(census),
    '',
  ].join('\n')
}

/** What is known about visitors who never came back, and how. */
function describeBots({ sessions, firstPage, mostFrequent }: Census): readonly string[] {
  if (sessions === 0) return []
  const share = (count: number) => `${amount(count)} (${Math.round((100 * count) / sessions)} %)`
  if (firstPage !== null)
    return [`  bots    ${share(firstPage)} at most: sessions of one page, with the first lifetime`]
  if (mostFrequent === null) return []
  return [
    `  bots    ${share(mostFrequent.sessions)} have ${amount(mostFrequent.bytes)} bytes, the most frequent size:`,
    '          usually that of visitors who saw one page and never came back',
  ]
}

function renderBars({
  histogram,
  lifetimeSeconds,
  sessions: all,
  eternal,
  overdue,
}: Census): readonly string[] {
  const end = histogram.findIndex(({ idleSeconds }) => idleSeconds === null || idleSeconds >= lifetimeSeconds)
  const before = histogram.slice(0, end)
  const last = all - eternal - overdue - before.reduce((sum, { sessions }) => sum + sessions, 0)
  const shown = [...before, { idleSeconds: lifetimeSeconds, sessions: Math.max(0, last) }]
  const most = Math.max(1, ...shown.map(({ sessions }) => sessions))
  return shown.map(({ idleSeconds, sessions }) => {
    const name = `up to ${duration(idleSeconds ?? lifetimeSeconds)}`
    const bar = '#'.repeat(Math.ceil((CELLS * sessions) / most))
    return `  ${name.padEnd(14)} ${amount(sessions).padStart(11)}  ${bar}`.trimEnd()
  })
}

function counted(sessions: number): string {
  return sessions === 1 ? '1 session' : `${amount(sessions)} sessions`
}

/** A number with commas. */
export function amount(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}

function signed(value: number): string {
  return value < 0 ? amount(value) : `+${amount(value)}`
}

const UNITS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const

/** Seconds in the largest unit in which they are whole, or nearly so. */
export function duration(seconds: number): string {
  const [size, unit] = UNITS.find(([of]) => seconds >= of && (seconds % of === 0 || seconds >= 10 * of)) ?? [
    1,
    's',
  ]
  return `${amount(seconds / size)} ${unit}`
}
