import type { PageFacts } from '../server/snapshot.ts'
import { Controls } from './controls.tsx'
import { LaneCard } from './lanes/lane.tsx'
import { LaneChooser } from './lanes/lane-chooser.tsx'
import { SceneList, ScenePanel } from './scenes.tsx'
import { Story } from './story.tsx'
import { Timeline } from './timeline.tsx'
import type { View } from './view.ts'

interface Props {
  readonly facts: PageFacts
  readonly view: View
}

export function App({ facts, view }: Props) {
  const { snapshot, refusal } = view
  const busy = snapshot?.busy
  return (
    <>
      <header class="top">
        <h1>
          <span class="brand">php-sessions</span> playground
        </h1>
        <p class="tagline">
          The same visitors, clicks and faults in every lane. See where sessions are lost.
        </p>
        <Status view={view} />
      </header>
      <main class="layout">
        <nav class="side" aria-label="Scenes">
          <SceneList scenes={facts.scenes} playing={snapshot?.scene?.id} isBusy={busy !== undefined} />
          <LaneChooser lanes={facts.lanes} isBusy={busy !== undefined} />
        </nav>
        <div class="stage">
          {refusal === undefined ? null : (
            <div class="problem" role="alert">
              <strong>Not now:</strong> {refusal}
            </div>
          )}
          {snapshot?.problem === undefined ? null : (
            <div class="problem" role="alert">
              <strong>It did not work.</strong>
              <pre>{snapshot.problem}</pre>
            </div>
          )}
          {snapshot?.scene === undefined ? null : <ScenePanel scene={snapshot.scene} />}
          {snapshot === undefined || snapshot.lanes.length === 0 ? (
            <Waiting busy={busy} />
          ) : (
            <>
              <Controls snapshot={snapshot} />
              <Timeline snapshot={snapshot} />
              <div class="lanes">
                {snapshot.lanes.map((lane) => (
                  <LaneCard key={lane.id} lane={lane} />
                ))}
              </div>
            </>
          )}
        </div>
        <Story entries={snapshot?.story ?? []} now={snapshot?.now ?? 0} />
      </main>
    </>
  )
}

function Status({ view: { snapshot, isConnected } }: Pick<Props, 'view'>) {
  const busy = snapshot?.busy
  const [tone, text] = !isConnected
    ? ['bad', snapshot === undefined ? 'connecting' : 'the playground has ended']
    : busy === undefined
      ? ['good', 'ready']
      : ['busy', busy]
  return (
    <p class={`status ${tone}`} role="status" aria-busy={tone === 'busy'}>
      <span class="dot" aria-hidden="true" />
      {text}
    </p>
  )
}

function Waiting({ busy }: { readonly busy: string | undefined }) {
  return (
    <div class="waiting">
      <div class="bar" aria-hidden="true" />
      <p>{busy ?? 'Nothing runs. Play a scene, or open lanes.'}</p>
      <p class="quiet">
        The app is staged by the buildpacks, instances of PHP and nginx start, and a store for each lane.
      </p>
    </div>
  )
}
