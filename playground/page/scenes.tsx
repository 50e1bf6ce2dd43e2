import { useEffect, useRef } from 'preact/hooks'
import type { PageFacts, SceneView } from '../server/snapshot.ts'
import { control } from './view.ts'

interface ListProps {
  readonly scenes: PageFacts['scenes']
  readonly playing: string | undefined
  readonly isBusy: boolean
}

export function SceneList({ scenes, playing, isBusy }: ListProps) {
  return (
    <section>
      <h2>Scenes</h2>
      <p class="quiet">What people report, played once without and once with php-sessions.</p>
      <ul class="scenes">
        {scenes.map(({ id, title, about }) => (
          <li key={id}>
            <button
              type="button"
              class="scene"
              aria-disabled={isBusy}
              aria-current={playing === id ? 'true' : undefined}
              onClick={() => (isBusy ? undefined : control({ do: 'play', scene: id }))}
            >
              <span class="name">
                <span class="play" aria-hidden="true" />
                {title}
              </span>
              <span class="about">{about}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

export function ScenePanel({ scene }: { readonly scene: SceneView }) {
  const { id, title, about, page, steps, begun, results } = scene
  const isDone = results !== undefined
  const panel = useRef<HTMLElement>(null)
  // Below a long list, as on a phone, one would not see that it begins.
  useEffect(() => panel.current?.scrollIntoView({ block: 'nearest' }), [id])
  return (
    <section ref={panel} class="panel" aria-labelledby="scene-title">
      <h2 id="scene-title">{title}</h2>
      <p>{about}</p>
      <ol class="steps">
        {steps.map((step, index) => {
          const state = isDone || index < begun - 1 ? 'done' : index === begun - 1 ? 'now' : 'later'
          return (
            <li key={step} class={state} aria-current={state === 'now' ? 'step' : undefined}>
              {step}
            </li>
          )
        })}
      </ol>
      {results === undefined ? null : <Results results={results} />}
      <p class="quiet">
        Read more: <code>{page}</code>
      </p>
    </section>
  )
}

function Results({ results }: { readonly results: NonNullable<SceneView['results']> }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <section class="scroll" aria-label="Promised and seen" tabIndex={0}>
      <table class="results">
        <thead>
          <tr>
            <th scope="col">lane</th>
            <th scope="col">promised</th>
            <th scope="col">seen</th>
            <th scope="col">as said</th>
          </tr>
        </thead>
        <tbody>
          {results.map(({ lane, isPromised, promised, seen, isKept }, index) => (
            <tr key={`${lane}${promised}`} class={results[index - 1]?.lane === lane ? 'more' : ''}>
              <th scope="row">
                {results[index - 1]?.lane === lane ? <span class="hidden">{lane}</span> : lane}
              </th>
              <td>{isPromised ? promised : <em>people report: {promised}</em>}</td>
              <td>{seen}</td>
              <td class={isKept ? 'good' : 'bad'}>{isKept ? '✓ yes' : '✗ no'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
