import { useState } from 'preact/hooks'
import type { PageFacts } from '../../server/snapshot.ts'
import { control } from '../view.ts'

interface Props {
  readonly lanes: PageFacts['lanes']
  readonly isBusy: boolean
}

const MOST = 4

export function LaneChooser({ lanes, isBusy }: Props) {
  const [chosen, setChosen] = useState<readonly string[]>(['files', 'managed:redis'])
  const change = (at: number, word: string) =>
    setChosen(chosen.map((other, index) => (index === at ? word : other)))
  return (
    <details class="own">
      <summary>Your own lanes</summary>
      {chosen.map((word, at) => (
        <div class="choice" key={at}>
          <select
            aria-label={`Lane ${at + 1}`}
            value={word}
            onChange={({ currentTarget }) => change(at, currentTarget.value)}
          >
            {lanes.map((lane) => (
              <option key={lane.word} value={lane.word}>
                {lane.title}
              </option>
            ))}
          </select>
          <button
            type="button"
            class="remove"
            aria-label={`Remove lane ${at + 1}`}
            disabled={chosen.length === 1}
            onClick={() => setChosen(chosen.filter((_, index) => index !== at))}
          >
            ×
          </button>
        </div>
      ))}
      <div class="row">
        <button
          type="button"
          disabled={chosen.length === MOST}
          onClick={() => setChosen([...chosen, 'native:redis'])}
        >
          Add a lane
        </button>
        <button
          type="button"
          class="primary"
          aria-disabled={isBusy}
          onClick={() => (isBusy ? undefined : control({ do: 'open', lanes: chosen }))}
        >
          Open these lanes
        </button>
      </div>
    </details>
  )
}
