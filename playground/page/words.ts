import type { LaneView } from '../server/snapshot.ts'

export function countText(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

/** What a lane has lost; undefined if nothing. */
export function lossText({ loggedOut, lost }: LaneView): string | undefined {
  const outs = loggedOut === 0 ? [] : [`logged out ${loggedOut}×`]
  const updates = lost === 0 ? [] : [`${countText(lost, 'update')} lost`]
  return outs.length + updates.length === 0 ? undefined : [...outs, ...updates].join(', ')
}

export function timeText(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return '–'
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`
}
