import type { Control, Snapshot, StoreFault } from '../server/snapshot.ts'
import { control } from './view.ts'

export function Controls({ snapshot }: { readonly snapshot: Snapshot }) {
  const { lanes, busy, isSticky, isClicking, isLoaded } = snapshot
  const isBusy = busy !== undefined
  const can = (fault: StoreFault) => lanes.some((lane) => lane.can.includes(fault))
  const isFrozen = lanes.some(({ store }) => store?.state === 'frozen')
  const indexes = [...new Set(lanes.flatMap(({ instances }) => instances.map(({ index }) => index)))]
  const isUp = (index: number) =>
    lanes.some(({ instances }) => instances.some((one) => one.index === index && one.state === 'up'))
  const button = (asked: Control, text: string, isOff = false) => (
    <button
      key={text}
      type="button"
      aria-disabled={isBusy || isOff}
      onClick={() => (isBusy || isOff ? undefined : control(asked))}
    >
      {text}
    </button>
  )
  const toggle = (name: 'stick' | 'click' | 'load', isOn: boolean, text: string, waits: boolean) => (
    <button
      type="button"
      role="switch"
      aria-checked={isOn}
      aria-disabled={isBusy && waits}
      onClick={() => (isBusy && waits ? undefined : control({ do: name, isOn: !isOn }))}
    >
      <span class="knob" aria-hidden="true" />
      {text}
    </button>
  )
  return (
    <section class="controls" aria-label="Controls, for all lanes">
      <fieldset>
        <legend>Visitors</legend>
        <div class="buttons">
          {toggle('click', isClicking, 'Ada clicks every second', false)}
          {button({ do: 'click in parallel' }, '20 clicks at once')}
          {toggle('load', isLoaded, '200 requests a second', false)}
          {toggle('stick', isSticky, 'Sticky by JSESSIONID', true)}
        </div>
      </fieldset>
      <fieldset>
        <legend>Instances</legend>
        <div class="buttons">
          {indexes.map((index) => button({ do: 'kill', index }, `Kill ${index}`, !isUp(index)))}
          {button({ do: 'start missing' }, 'Start missing', indexes.every(isUp))}
          {button({ do: 'restart instances' }, 'cf restart')}
          {button({ do: 'restage' }, 'cf restage')}
        </div>
      </fieldset>
      <fieldset>
        <legend>Stores</legend>
        <div class="buttons">
          {isFrozen ? button({ do: 'thaw' }, 'Thaw') : button({ do: 'freeze' }, 'Freeze', !can('freeze'))}
          {button({ do: 'restart store' }, 'Restart', !can('restart'))}
          {button({ do: 'fail over' }, 'Fail over', !can('failOver'))}
          {button({ do: 'rotate' }, 'Rotate password', !can('rotate'))}
        </div>
      </fieldset>
    </section>
  )
}
