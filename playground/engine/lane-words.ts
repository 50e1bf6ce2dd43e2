import type { StoreKind } from '../stores/store.ts'
import type { LaneOptions } from './lane.ts'
import { WAYS, type WayName } from './ways.ts'

const STORES: readonly StoreKind[] = ['redis', 'valkey', 'memcached', 'cluster', 'sentinel', 'given']
const MOST_LANES = 4

/** Every lane, as people write it: `files`, `managed:redis`. */
export const LANE_WORDS: readonly string[] = Object.entries(WAYS).flatMap(([way, { isBound }]) =>
  isBound ? STORES.map((store) => `${way}:${store}`) : [way],
)

/** Reads lanes as people write them; a text says what is wrong with them. */
export function readLanes(
  words: readonly string[],
  instances: number,
  isSticky: boolean,
): readonly LaneOptions[] | string {
  if (words.length === 0 || words.length > MOST_LANES)
    return `expected one to ${MOST_LANES} lanes, got ${words.length}`
  const lanes: LaneOptions[] = []
  for (const word of words) {
    const [way = '', store = 'redis'] = word.split(':')
    if (!isWay(way) || !isStore(store))
      return `there is no lane ${word}; expected one of ${LANE_WORDS.join(', ')}`
    lanes.push({ way, store, instances, isSticky })
  }
  return lanes
}

function isWay(word: string): word is WayName {
  return Object.hasOwn(WAYS, word)
}

function isStore(word: string): word is StoreKind {
  return STORES.some((store) => store === word)
}
