import type { Click, Stamped } from '../engine/events.ts'
import type { Lane } from '../engine/lane.ts'
import type { LockSight } from '../engine/lock-sight.ts'
import type { InstanceView, StoryEntry, VisitorView } from './snapshot.ts'

/** What happened, why, and which message of explain or doctor is about it. */
export interface Sentence extends Pick<StoryEntry, 'tone' | 'text' | 'page'> {
  /** What it has in common with others that say the same with other numbers. */
  readonly same?: string
}

const STORE_AWAY = 'docs/managed-handler.md#when-the-store-cannot-be-used'

const bad = (same: string, text: string, page: string): Sentence => ({ tone: 'bad', same, text, page })
const plain = (text: string, page?: string): Sentence => ({ tone: 'plain', text, page })
const good = (text: string, page?: string): Sentence => ({ tone: 'good', text, page })

/** A sentence about an event; `before` is how the visitor of a click was seen last. */
export function tell(
  event: Stamped,
  lane: Lane,
  before: VisitorView['state'] | undefined,
): Sentence | undefined {
  switch (event.kind) {
    case 'lost':
      return event.what === 'session'
        ? tellLogout(event.visitor, event.updates, lane)
        : tellLostUpdates(event.visitor, event.updates)
    case 'click':
      return tellClick(event.click, before)
    case 'instance':
      return tellInstance(event.index, event.state)
    case 'store':
      return event.state === 'up' ? plain(`${lane.store?.title ?? 'The store'} is up again.`) : undefined
    case 'lock':
      return event.sight === undefined ? undefined : tellHolder(event.sight)
    default:
      return undefined
  }
}

function tellHolder({ holder, isNamed, waiting }: LockSight): Sentence | undefined {
  if (!isNamed || waiting === 0) return undefined
  return plain(
    `Requests of one visitor wait for ${holder}, which has the session. php-sessions locks shows this while it lasts.`,
    'docs/operations.md#who-has-the-session',
  )
}

function tellClick(click: Click, before: VisitorView['state'] | undefined): Sentence | undefined {
  const { visitor, outcome, status, milliseconds } = click
  if (outcome === 'refused') return tellRefusal(status)
  if (status === 0)
    return bad(
      `no answer ${visitor}`,
      `${visitor} got no answer within ${Math.round(milliseconds / 1000)} s: the worker waits for the store, and php_buildpack sets no time-out. With php-sessions every wait ends.`,
      STORE_AWAY,
    )
  if (outcome === 'known' && (before === 'refused' || before === 'failed') && !isOfLoad(visitor))
    return good(`${visitor} is served again, and is still logged in.`, STORE_AWAY)
  return undefined
}

function tellInstance(index: number, state: InstanceView['state']): Sentence | undefined {
  if (state === 'down')
    return plain(`Instance ${index} is down, and its disk is gone.`, 'docs/cloudfoundry.md')
  return state === 'up' ? plain(`Instance ${index} is up.`) : undefined
}

function tellLogout(visitor: string, updates: number, lane: Lane): Sentence {
  const gone = updates === 0 || isOfLoad(visitor) ? '' : `, and ${countText(updates)} gone`
  const who = isOfLoad(visitor) ? 'A visitor of the load' : visitor
  const what = `${who} is logged out${gone}`
  if (lane.options.way === 'files')
    return bad(
      `logged out ${who}`,
      `${what}: the session is a file on the disk of another instance, or of one that is gone. doctor reports this as session.instances.`,
      'docs/messages.md#sessioninstances',
    )
  return bad(
    `logged out ${who}`,
    `${what}: PHP could not read the session, answered with status 200 and an empty one, and gave a new id. doctor would name the cause, as net.connect or auth.failed.`,
    STORE_AWAY,
  )
}

function tellLostUpdates(visitor: string, updates: number): Sentence {
  return bad(
    `updates lost ${visitor}`,
    `${countText(updates)} lost although ${visitor} was told that they were kept. Without a lock several requests read the same session, and the last one to write wins. explain says whether there are locks.`,
    'docs/contract.md',
  )
}

/** They are many, and the same sentence is told once. */
function isOfLoad(visitor: string): boolean {
  return visitor.startsWith('visitor ')
}

function countText(updates: number): string {
  return updates === 1 ? '1 acknowledged update is' : `${updates} acknowledged updates are`
}

function tellRefusal(status: number): Sentence {
  return status === 429
    ? plain(
        'Status 429: too many requests wait for one session. The visitor may try again, and other visitors are served.',
        'docs/managed-handler.md#one-visitor-many-requests',
      )
    : plain(
        'Status 503 with Retry-After: the store cannot be used now. Nobody is logged out, and no update is acknowledged and then lost.',
        STORE_AWAY,
      )
}
