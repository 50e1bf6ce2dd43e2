/**
 * The places of a session (src/stores/handler/sealing/places.php) as a machine: requests of instances with different lists of places, each
 * step one command of the store. A place is a letter; the order of letters is that of the labels.
 */

export interface Variant {
  /** Takes locks in the order of its own list. */
  readonly ownOrder?: boolean
  /** Moves a session with the lock of the place where it was only. */
  readonly oneLock?: boolean
  /** Gives back the place where the session was before it writes the session. */
  readonly releasesFirst?: boolean
  /** Looks into the places one after the other without a lock, and believes that. */
  readonly looksOnly?: boolean
}

interface Request {
  readonly list: string
  readonly step: 'try' | 'search' | 'drop' | 'write' | 'remove' | 'done'
  /** The number of the place in the search. */
  readonly at: number
  readonly held: string
  readonly found: string
  /** What was read: how many requests have written; -1 for nothing. */
  readonly read: number
  readonly target: string
}

interface World {
  /** The number of writes that each place's session has seen; absent where there is none. */
  readonly data: Readonly<Record<string, number>>
  readonly requests: readonly Request[]
}

export interface Faults {
  readonly lost: number
  readonly stuck: number
  readonly left: number
  readonly worlds: number
}

/** Visits every order of steps; counts the ends in which an update is lost, nobody can go on, or two places have a session. */
export function visitOrders(
  data: Readonly<Record<string, number>>,
  lists: readonly string[],
  variant: Variant = {},
): Faults {
  const start: World = {
    data,
    requests: lists.map((list) => ({
      ...{ list, step: 'try', at: 0, held: '', found: '', read: -1, target: list.charAt(0) },
    })),
  }
  const before = Math.max(0, ...Object.values(data))
  const seen = new Set<string>()
  const open = [start]
  let [lost, stuck, left] = [0, 0, 0]
  for (let world = open.pop(); world !== undefined; world = open.pop()) {
    const name = JSON.stringify(world)
    if (seen.has(name)) continue
    seen.add(name)
    const next = world.requests.flatMap((request, i) => advance(world as World, request, i, variant))
    if (next.length > 0) open.push(...next)
    else if (world.requests.some(({ step }) => step !== 'done')) stuck++
    else {
      const values = Object.values(world.data)
      if (values.length !== 1) left++
      if (Math.max(-1, ...values) !== before + lists.length) lost++
    }
  }
  return { lost, stuck, left, worlds: seen.size }
}

function advance(world: World, request: Request, i: number, variant: Variant): readonly World[] {
  const to = (more: Partial<Request>, data = world.data): readonly World[] => [
    { data, requests: world.requests.map((other, j) => (j === i ? { ...other, ...more } : other)) },
  ]
  const { list, step, at, held, found, target } = request
  const isFree = (place: string) => world.requests.every((other) => !other.held.includes(place))
  const value = (place: string) => world.data[place]
  const order = variant.ownOrder === true ? list : [...list].sort().join('')
  switch (step) {
    case 'try': {
      if (!isFree(target)) return []
      const there = value(target)
      return there === undefined
        ? to({ step: 'search' })
        : to({ step: 'write', held: target, found: target, read: there })
    }
    case 'search': {
      const place = order.charAt(at)
      const isOver = at >= order.length || (found !== '' && held.includes(target))
      if (isOver) return to({ step: 'drop' })
      if (found !== '' && (place !== target || variant.oneLock === true)) return to({ at: at + 1 })
      if (!isFree(place)) return []
      const there = value(place)
      const isFound = found === '' && there !== undefined
      const isLocked = variant.looksOnly !== true || isFound
      return to({
        at: at + 1,
        held: isLocked ? held + place : held,
        ...(isFound ? { found: place, read: there } : {}),
      })
    }
    case 'drop': {
      const extra = [...held].find((place) => place !== target && place !== found)
      return extra === undefined ? to({ step: 'write' }) : to({ held: held.replace(extra, '') })
    }
    case 'write': {
      if (variant.releasesFirst === true && found !== target && found !== '' && held.includes(found))
        return to({ held: held.replace(found, '') })
      const data = { ...world.data, [target]: Math.max(request.read, 0) + 1 }
      const isMoved = found !== '' && found !== target && held.includes(found)
      return to({ step: isMoved ? 'remove' : 'done', held: held.replace(target, '') }, data)
    }
    case 'remove':
      return to({ step: 'done', held: '' }, without(world.data, found))
    default:
      return []
  }
}

function without(data: World['data'], place: string): World['data'] {
  return Object.fromEntries(Object.entries(data).filter(([name]) => name !== place))
}
