import type { Stamped } from '../engine/events.ts'
import type { Lane } from '../engine/lane.ts'
import type { StoryEntry } from './snapshot.ts'

type Told = Pick<StoryEntry, 'tone' | 'text' | 'page'>

const bad = (text: string, page: string): Told => ({ tone: 'bad', text, page })
const plain = (text: string, page?: string): Told => ({ tone: 'plain', text, page })

/** A sentence about an event: what happened, why, and which message of explain or doctor is about it. */
export function tell(event: Stamped, lane: Lane): Told | undefined {
  if (event.kind === 'lost' && event.what === 'session') return tellLogout(event.visitor, event.updates, lane)
  if (event.kind === 'lost') return tellLostUpdates(event.visitor, event.updates)
  if (event.kind === 'click' && event.click.outcome === 'refused') return tellRefusal(event.click.status)
  if (event.kind === 'click' && event.click.status === 0)
    return bad(
      `${event.click.visitor} got no answer within ${Math.round(event.click.milliseconds / 1000)} s: the worker waits for the store, and php_buildpack sets no time-out. In php-sessions every wait has an end.`,
      'docs/managed-handler.md#when-the-store-cannot-be-used',
    )
  if (event.kind === 'instance' && event.state === 'down')
    return plain(`Instance ${event.index} is down, and what was on its disk is gone.`, 'docs/cloudfoundry.md')
  if (event.kind === 'instance' && event.state === 'up') return plain(`Instance ${event.index} is up.`)
  return undefined
}

function tellLogout(visitor: string, updates: number, lane: Lane): Told {
  const gone = updates === 0 || isOfLoad(visitor) ? '' : `, and ${countText(updates)} gone`
  const what = `${isOfLoad(visitor) ? 'A visitor of the load' : visitor} is logged out${gone}`
  if (lane.options.way === 'files')
    return bad(
      `${what}: the session is a file on the disk of another instance, or of one that is gone. doctor says so as session.instances.`,
      'docs/messages.md#sessioninstances',
    )
  return bad(
    `${what}: PHP could not read the session, answered with status 200 and an empty one, and gave a new id. doctor would name the cause, as net.connect or auth.failed.`,
    'docs/managed-handler.md#when-the-store-cannot-be-used',
  )
}

function tellLostUpdates(visitor: string, updates: number): Told {
  return bad(
    `${countText(updates)} gone that ${visitor} was told are kept. Without a lock several requests read the same session, and the last one to write it wins. explain says whether there are locks.`,
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

function tellRefusal(status: number): Told {
  return status === 429
    ? plain(
        'Status 429: too many requests wait for one session. The visitor may try again, and other visitors are served.',
        'docs/managed-handler.md#one-visitor-many-requests',
      )
    : plain(
        'Status 503 with Retry-After: the store cannot be used now. Nobody is logged out, and nothing is acknowledged that is not kept.',
        'docs/managed-handler.md#when-the-store-cannot-be-used',
      )
}
