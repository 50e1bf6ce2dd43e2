import type { LaneView, Second, Snapshot } from '../server/snapshot.ts'
import { countText, lossText } from './words.ts'

const CELL = 8
const ROW = 30

/** One line for each lane, the same seconds above each other: whoever is logged out is a red block. */
export function Timeline({ snapshot }: { readonly snapshot: Snapshot }) {
  const { lanes, now } = snapshot
  const count = lanes[0]?.seconds.length ?? 0
  const first = now - count + 1
  const marks = snapshot.marks.filter(({ second }) => second >= first)
  const placeOf = (second: number) => ((second - first + 0.5) / count) * 100
  return (
    <section class="panel timeline" aria-labelledby="timeline-title">
      <div class="row">
        <h2 id="timeline-title">The last {count} seconds</h2>
        <ul class="legend">
          <li>
            <span class="key known" aria-hidden="true" /> session kept
          </li>
          <li>
            <span class="key refused" aria-hidden="true" /> asked to wait
          </li>
          <li>
            <span class="key failed" aria-hidden="true" /> failed
          </li>
          <li>
            <span class="key lost" aria-hidden="true" /> logged out, or updates lost
          </li>
        </ul>
      </div>
      <div class="marks" aria-hidden="true">
        {marks.map(({ second, text }, at) => (
          <span class="mark" key={`${second}${text}`} title={text} style={{ left: `${placeOf(second)}%` }}>
            {at + 1}
          </span>
        ))}
      </div>
      {lanes.map((lane) => (
        <div class="track" key={lane.id}>
          <p class="track-title">
            {lane.title} <Sum lane={lane} />
          </p>
          <svg
            viewBox={`0 0 ${count * CELL} ${ROW}`}
            preserveAspectRatio="none"
            role="img"
            aria-label={`${lane.title}: ${sumText(lane)}`}
          >
            <line class="ground" x1="0" x2={count * CELL} y1={ROW - 1} y2={ROW - 1} />
            {marks.map(({ second, text }) => (
              <line
                class="at"
                key={`${second}${text}`}
                x1={(second - first + 0.5) * CELL}
                x2={(second - first + 0.5) * CELL}
                y1="0"
                y2={ROW}
              />
            ))}
            {lane.seconds.map((second, at) => {
              const shown = cellOf(second)
              return shown === undefined ? null : (
                <rect
                  key={at}
                  class={shown.tone}
                  x={at * CELL + 0.5}
                  width={CELL - 1}
                  y={ROW - shown.height}
                  height={shown.height}
                />
              )
            })}
          </svg>
        </div>
      ))}
      <p class="axis caption" aria-hidden="true">
        <span>{count} s ago</span>
        <span>{count / 2} s ago</span>
        <span>now</span>
      </p>
      {marks.length === 0 ? null : (
        <ol class="mark-texts">
          {marks.map(({ second, text }) => (
            <li key={`${second}${text}`}>
              {text} <span class="quiet">{now - second} s ago</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}

/** Since the lane was opened. */
function Sum({ lane }: { readonly lane: LaneView }) {
  const loss = lossText(lane)
  return loss === undefined ? (
    <span class="sum good">✓ {countText(lane.acknowledged, 'update')}, nothing lost</span>
  ) : (
    <span class="sum bad">✗ {loss}</span>
  )
}

/** The worst of a second counts. The height says the same as the colour. */
function cellOf(second: Second): { readonly tone: string; readonly height: number } | undefined {
  if (second.lost > 0 || second.stranger > 0) return { tone: 'lost', height: ROW }
  if (second.failed > 0) return { tone: 'failed', height: ROW * 0.75 }
  if (second.refused > 0) return { tone: 'refused', height: ROW * 0.5 }
  return second.known > 0 ? { tone: 'known', height: ROW * 0.25 } : undefined
}

function sumText({ seconds }: LaneView): string {
  const tones = seconds.map((second) => cellOf(second)?.tone)
  const count = (tone: string) => tones.filter((other) => other === tone).length
  return `${count('known')} seconds in which sessions were kept, ${count('refused')} with waiting, ${count('failed')} with failures, ${count('lost')} with losses`
}
