import { join } from 'node:path'
import type { Instance, Lifecycle, Services } from '../lab/cloudfoundry/lifecycle.ts'
import { phpBuildpackV5 } from '../lab/cloudfoundry/php-buildpacks.ts'
import { type Router, startRouter } from '../lab/web/router.ts'
import { type Answer, makeVisitor } from '../lab/web/visitor.ts'
import { type OwnPages, visitOwnPages } from './own-pages.ts'

/** An app on two instances, with these services bound. */
export interface Scene {
  readonly title: string
  readonly services: Services
  /** Whether the session should outlive the instance that has made it. */
  readonly survives: boolean
}

export interface Stage {
  readonly app: string
  /** The path of the page with a login, a cart and a counter. */
  readonly path: string
  /** The path of the page that counts values; undefined for the sample app, which has no other pages. */
  readonly lookPath: string | undefined
  readonly lifecycle: Lifecycle
  say(text: string): void
}

export interface SceneResult {
  readonly title: string
  readonly handler: string
  /** The instances that answered before the crash. */
  readonly servedBy: readonly number[]
  /** Whether every page before the crash knew the visitor. */
  readonly isThere: boolean
  readonly hasSurvived: boolean
  /** What became of a session that the app itself had made; undefined where it has made none. */
  readonly ownSession: 'kept' | 'lost' | undefined
  readonly isAsPromised: boolean
}

const ROOT = join(import.meta.dirname, '..')
const BUILDPACKS = [{ name: 'php-sessions', directory: join(ROOT, 'dist/buildpack-cf') }, phpBuildpackV5]
const RELOADS = 6

/** Runs an app on two instances, lets a visitor log in and shop, and crashes the instance that served last. */
export async function playScene(scene: Scene, stage: Stage): Promise<SceneResult> {
  const { app, lifecycle, say } = stage
  say('  staging with php-sessions in front of php_buildpack')
  const { services } = scene
  const staged = await lifecycle.stage({ app, buildpacks: BUILDPACKS, services })
  if (!staged.ok) throw new Error(`staging failed:\n${staged.log}`)
  say(indent(sessionsPart(staged.log)))
  say('  starting instances 0 and 1 behind the router')
  const router = await startRouter()
  const instances: Instance[] = []
  try {
    for (const index of [0, 1])
      instances.push(await lifecycle.startInstance(staged.droplet, { index, services }))
    for (const instance of instances) router.add(instance)
    return await visit(scene, router, instances, stage)
  } finally {
    await router.stop()
    await Promise.all(instances.map((instance) => instance.stop()))
  }
}

async function visit(
  scene: Scene,
  router: Router,
  instances: readonly Instance[],
  { path, lookPath, say }: Stage,
): Promise<SceneResult> {
  const own = lookPath === undefined ? undefined : await visitOwnPages(router.url, lookPath)
  for (const line of own?.lines ?? []) say(`  ${line}`)
  if (own !== undefined) say(`  ${describeSession(own)}`)
  const visitor = makeVisitor(router.url)
  const seen: SamplePage[] = []
  const show = (what: string, answer: Answer) => {
    const page = readPage(answer)
    const { user, visits, cart } = page
    say(`  ${what.padEnd(12)} instance ${page.servedBy}: ${user}, visit ${visits}, cart: ${cart}`)
    seen.push(page)
    return page
  }

  readPage(await visitor.get(path))
  await visitor.post(path, { action: 'login', name: 'Ada' })
  await visitor.post(path, { action: 'add', item: 'a book' })
  for (let i = 1; i <= RELOADS; i++) show(`reload ${i}`, await visitor.get(path))

  const last = seen.at(-1)
  say(`  instance ${last?.servedBy} crashes`)
  await instances.find(({ index }) => index === last?.servedBy)?.kill()
  const after = show('reload', await visitor.get(path))

  const isLeft = await own?.session?.isThere()
  const ownSession = isLeft === undefined ? undefined : isLeft ? 'kept' : 'lost'
  if (ownSession !== undefined) say(`  the session that the app itself had made: ${ownSession}`)

  const before = seen.slice(0, RELOADS)
  const isThere = before.every(isKnown)
  const hasSurvived = isKnown(after)
  const servedBy = [...new Set(before.map((page) => page.servedBy))].sort()
  // A shared session is served by all instances; a session in a file ties its visitor to one instance.
  const isSpread = servedBy.length === (scene.survives ? instances.length : 1)
  return {
    title: scene.title,
    handler: after.handler,
    servedBy,
    isThere,
    hasSurvived,
    ownSession,
    isAsPromised:
      isThere &&
      isSpread &&
      hasSurvived === scene.survives &&
      own?.works !== false &&
      (!scene.survives || ownSession !== 'lost'),
  }
}

function describeSession({ session }: OwnPages): string {
  return session === undefined
    ? 'on these pages the app itself keeps nothing in a PHP session; the page of the demo, in the app, does'
    : `the app itself keeps values in the PHP session of its cookie ${session.cookie}`
}

interface SamplePage {
  readonly servedBy: number
  readonly user: string
  readonly visits: string
  readonly cart: string
  readonly handler: string
}

function readPage({ status, body, servedBy }: Answer): SamplePage {
  const field = (id: string) => new RegExp(`<output id="${id}">(.*?)</output>`).exec(body)?.[1]
  const [user, visits, cart] = ['user', 'visits', 'cart'].map(field)
  const handler = /session kept by (\w+)/.exec(body)?.[1]
  if (
    status !== 200 ||
    user === undefined ||
    visits === undefined ||
    cart === undefined ||
    handler === undefined
  )
    throw new Error(`expected the page of the sample app, got status ${status}:\n${body.slice(0, 500)}`)
  return { servedBy: servedBy ?? -1, user, visits, cart, handler }
}

function isKnown({ user, cart }: SamplePage): boolean {
  return user === 'Ada' && cart === 'a book'
}

/** The lines of php-sessions in a staging log. */
function sessionsPart(log: string): string {
  const lines = log.split('\n')
  const start = lines.findIndex((line) => line.startsWith('-----> php-sessions'))
  const length = lines.slice(start + 1).findIndex((line) => !line.startsWith('       '))
  return lines.slice(start, start + 1 + length).join('\n')
}

function indent(text: string): string {
  return text.replace(/^/gm, '  | ')
}
