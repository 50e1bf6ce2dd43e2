import { useState } from 'preact/hooks'
import type { LaneView, Tone, VisitorView } from '../../server/snapshot.ts'
import { askLane } from '../ask.ts'
import { Plot } from '../plot.tsx'
import { countText, lossText, timeText } from '../words.ts'
import { Lock } from './lock.tsx'

const SYMBOLS: Readonly<Record<Tone, string>> = { known: '✓', stranger: '✗', refused: '…', failed: '!' }
const WORDS: Readonly<Record<Tone, string>> = {
  known: 'logged in',
  stranger: 'logged out',
  refused: 'must wait',
  failed: 'no answer',
}

export function LaneCard({ lane }: { readonly lane: LaneView }) {
  const [said, setSaid] = useState<{ readonly command: string; readonly text: string }>()
  const ask = async (command: 'explain' | 'doctor') => {
    setSaid({ command, text: '…' })
    setSaid({ command, text: await askLane(lane.id, command) })
  }
  const loss = lossText(lane)
  return (
    <article class={`lane ${lane.isPromised ? 'ours' : 'theirs'}`} aria-label={lane.title}>
      <header>
        <p class="kind">{lane.isPromised ? 'with php-sessions' : 'what apps run today'}</p>
        <h3>{lane.title}</h3>
        <p class="quiet">{lane.because}</p>
      </header>
      <p class={`verdict ${loss === undefined ? 'good' : 'bad'}`}>
        {loss === undefined ? '✓ nothing lost' : `✗ ${loss}`}
        <span class="quiet">{countText(lane.acknowledged, 'update')} acknowledged</span>
      </p>
      <ul class="visitors">
        {lane.visitors.slice(0, 3).map((visitor) => (
          <Visitor key={visitor.name} visitor={visitor} />
        ))}
      </ul>
      <div class="details">
        <ul class="parts" aria-label="Instances and store">
          {lane.instances.map(({ index, state, requests }) => (
            <li key={index} class={`part ${state}`}>
              <span class="led" aria-hidden="true" />
              <strong>instance {index}</strong> {state === 'up' ? countText(requests, 'request') : state}
            </li>
          ))}
          {lane.store === undefined ? null : (
            <li class={`part store ${lane.store.state.startsWith('up') ? 'up' : 'down'}`}>
              <span class="led" aria-hidden="true" />
              <strong>{lane.store.title}</strong> {lane.store.state}
            </li>
          )}
        </ul>
        <Recents lane={lane} />
        <Plot seconds={lane.seconds} title={lane.title} />
        <dl class="numbers">
          <div>
            <dt>under way</dt>
            <dd>{lane.underWay}</dd>
          </div>
          <div>
            <dt>waited for the session</dt>
            <dd>{timeText(lane.waited)}</dd>
          </div>
          <div>
            <dt>answers</dt>
            <dd>{statusText(lane)}</dd>
          </div>
        </dl>
        <Lock text={lane.lock} />
        <div class="row">
          {lane.isPromised ? (
            <>
              <button type="button" onClick={() => ask('explain')}>
                explain
              </button>
              <button type="button" onClick={() => ask('doctor')}>
                doctor
              </button>
            </>
          ) : null}
          <a class="button" href={lane.url} target="_blank" rel="noreferrer">
            Open the app
          </a>
        </div>
        {said === undefined ? null : (
          <div class="said">
            <div class="row">
              <strong>php-sessions {said.command}</strong>
              <button type="button" class="remove" aria-label="Close" onClick={() => setSaid(undefined)}>
                ×
              </button>
            </div>
            <p>{said.text.trimEnd().split('\n').at(-1)}</p>
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
            <pre tabIndex={0}>{said.text}</pre>
          </div>
        )}
      </div>
    </article>
  )
}

function Visitor({ visitor }: { readonly visitor: VisitorView }) {
  const { name, state, updates, books } = visitor
  return (
    <li class={`visitor ${state}`}>
      <span class="face" aria-hidden="true">
        {SYMBOLS[state]}
      </span>
      <span>
        <strong>{name}</strong> {WORDS[state]}
      </span>
      <span class="quiet">
        {countText(books, 'book')} in the cart, {countText(updates, 'update')}
      </span>
    </li>
  )
}

function Recents({ lane }: { readonly lane: LaneView }) {
  const count = (tone: Tone) => lane.recent.filter(({ outcome }) => outcome === tone).length
  return (
    <div class="recents">
      <p class="hidden">
        Of the last {lane.recent.length} clicks {count('known')} found their session, {count('stranger')} did
        not, {count('refused')} were asked to wait, {count('failed')} failed.
      </p>
      <p class="caption" aria-hidden="true">
        last clicks, by the instance that answered
      </p>
      <div class="tiles" aria-hidden="true">
        {lane.recent.length === 0 ? <span class="caption">none yet</span> : null}
        {lane.recent.map(({ number, instance, outcome }) => (
          <span
            key={number}
            class={`tile ${outcome}`}
            title={`instance ${instance ?? 'none'}: ${WORDS[outcome]}`}
          >
            {instance ?? '–'}
          </span>
        ))}
      </div>
    </div>
  )
}

function statusText({ statuses }: LaneView): string {
  const entries = Object.entries(statuses)
  return entries.length === 0
    ? 'none yet'
    : entries.map(([status, count]) => `${status}: ${count}`).join(' · ')
}
