import type { Second } from '../server/snapshot.ts'
import { timeText } from './words.ts'

const WIDTH = 270
const HEIGHT = 44

interface Props {
  readonly seconds: readonly Second[]
  readonly title: string
}

/** p50 and p99 of the last seconds, as lines with a common scale. */
export function Plot({ seconds, title }: Props) {
  const highest = Math.max(50, ...seconds.map(({ p99 }) => p99 ?? 0))
  const line = (value: (second: Second) => number | undefined) => {
    let isDown = false
    return seconds
      .map((second, at) => {
        const latency = value(second)
        if (latency === undefined) {
          isDown = false
          return ''
        }
        const x = (at / (seconds.length - 1)) * WIDTH
        const y = HEIGHT - 1 - (latency / highest) * (HEIGHT - 4)
        const step = `${isDown ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`
        const dot = isDown ? '' : 'h.01'
        isDown = true
        return step + dot
      })
      .join('')
  }
  const last = seconds.findLast(({ p50 }) => p50 !== undefined)
  const text = last === undefined ? 'no answers yet' : `p50 ${timeText(last.p50)}, p99 ${timeText(last.p99)}`
  return (
    <figure class="plot">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Latency, ${title}: ${text}`}
      >
        <path class="p99" d={line(({ p99 }) => p99)} />
        <path class="p50" d={line(({ p50 }) => p50)} />
      </svg>
      <figcaption>
        {last === undefined ? (
          <span class="caption">no answers yet</span>
        ) : (
          <span>
            <span class="caption">answered in</span> <span class="p50">p50</span> {timeText(last.p50)}{' '}
            <span class="p99">p99</span> {timeText(last.p99)}
          </span>
        )}
        <span class="caption">top of the plot {timeText(highest)}</span>
      </figcaption>
    </figure>
  )
}
