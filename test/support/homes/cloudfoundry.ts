import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeApp } from '../../../lab/app.ts'
import type { Buildpack, Instance, InstanceOptions, Lifecycle } from '../../../lab/cloudfoundry/lifecycle.ts'
import { type Router, startRouter } from '../../../lab/web/router.ts'
import { makeVisitor } from '../../../lab/web/visitor.ts'

const ROOT = join(import.meta.dirname, '../../..')
export const EXECUTABLE = join(ROOT, 'dist/php-sessions')
export const BUNDLE = join(ROOT, 'dist/php-sessions.mjs')
if (!existsSync(join(ROOT, 'dist/buildpack-cf')))
  throw new Error('there is no buildpack to test: run scripts/package')

export const ours: Buildpack = { name: 'php-sessions', directory: join(ROOT, 'dist/buildpack-cf') }

/** The fixture app with more files: path to text. */
export function fixtureApp(files: Readonly<Record<string, string>> = {}): string {
  return makeApp({ 'index.php': readFileSync(join(ROOT, 'test/fixtures/app/index.php'), 'utf8'), ...files })
}

/** What the fixture app says. */
export interface Told {
  readonly visits: number
  readonly extensions: readonly string[]
  readonly ini: Readonly<Record<string, string | null>>
  readonly cookies: readonly string[]
  readonly servedBy: number | undefined
}

/** An app that runs twice behind a router. */
export interface RunningApp {
  readonly instances: readonly Instance[]
  readonly router: Router
  /** One visitor asks this often, at the instances in turn. */
  visit(times: number): Promise<Told[]>
  stop(): Promise<void>
}

/** Starts a droplet on two instances. */
export async function startTwice(
  lifecycle: Lifecycle,
  droplet: string,
  options: Omit<InstanceOptions, 'index'>,
): Promise<RunningApp> {
  const instances: Instance[] = []
  const router = await startRouter()
  const stop = async () => {
    await router.stop()
    await Promise.all(instances.map((instance) => instance.stop()))
  }
  try {
    for (const index of [0, 1]) instances.push(await lifecycle.startInstance(droplet, { ...options, index }))
  } catch (error) {
    await stop()
    throw error
  }
  for (const instance of instances) router.add(instance)
  return { instances, router, stop, visit: (times) => visitWith(router, times) }
}

/** One visitor asks this often. */
export async function visitWith(router: Router, times: number): Promise<Told[]> {
  const visitor = makeVisitor(router.url)
  const told: Told[] = []
  for (let i = 0; i < times; i++) {
    const { status, body, servedBy } = await visitor.get('/')
    if (status !== 200) throw new Error(`expected status 200, got ${status}: ${body}`)
    told.push({ ...JSON.parse(body), cookies: [...visitor.cookies.keys()], servedBy })
  }
  return told
}
