import type { StoryEntry } from '../server/snapshot.ts'

interface Props {
  readonly entries: readonly StoryEntry[]
  readonly now: number
}

const SYMBOLS: Readonly<Record<StoryEntry['tone'], string>> = { good: '✓', bad: '✗', plain: '·' }

export function Story({ entries, now }: Props) {
  return (
    <aside class="story" aria-labelledby="story-title">
      <h2 id="story-title">What happens, and why</h2>
      {entries.length === 0 ? (
        <p class="quiet">Nothing yet. Play a scene, or use a control: here stands what it does, and why.</p>
      ) : null}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
      <ol aria-live="polite" aria-relevant="additions" tabIndex={0} aria-label="Events, newest first">
        {entries.toReversed().map(({ number, second, times, lane, tone, text, page }) => (
          <li key={number} class={lane === undefined && tone === 'plain' ? 'done' : tone}>
            <p class="where">
              <span aria-hidden="true">{SYMBOLS[tone]} </span>
              {lane ?? 'all lanes'} {times === 1 ? null : <strong>×{times} </strong>}
              <span class="quiet">{now - second} s ago</span>
            </p>
            <p>{text}</p>
            {page === undefined ? null : (
              <p class="quiet">
                <code>{page}</code>
              </p>
            )}
          </li>
        ))}
      </ol>
    </aside>
  )
}
