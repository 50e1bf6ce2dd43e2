import type { Control, Snapshot } from '../server/snapshot.ts'
import { postControl } from './ask.ts'

/** What the page knows. */
export interface View {
  readonly snapshot: Snapshot | undefined
  readonly isConnected: boolean
  /** Why the last control was refused. */
  readonly refusal: string | undefined
}

let view: View = { snapshot: undefined, isConnected: false, refusal: undefined }
/** Controls that the playground has not answered yet, and the number of the snapshot that shows those that it has. */
let asked = 0
let awaited = 0
let show: (view: View) => void = () => {}

/** Shows each change, and the view as it is now. */
export function showWith(render: (view: View) => void): void {
  show = render
  change({})
}

/** A control that has not been seen to work yet makes the page busy: a second click would be refused. */
export function change(changed: Partial<View>): void {
  view = { ...view, ...changed }
  const { snapshot } = view
  const isAwaited = asked > 0 || (snapshot?.changes ?? 0) < awaited
  show(
    snapshot === undefined || !isAwaited
      ? view
      : { ...view, snapshot: { ...snapshot, busy: snapshot.busy ?? 'asking' } },
  )
}

/** Asks the playground to do something. */
export async function control(wanted: Control): Promise<void> {
  asked++
  change({ refusal: undefined })
  const { number, refusal } = await postControl(wanted)
  asked--
  awaited = Math.max(awaited, number)
  change({ refusal })
}
