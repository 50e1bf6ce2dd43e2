import { type Backend, startRouter } from '../../../lab/web/router.ts'
import { makeVisitor } from '../../../lab/web/visitor.ts'

/** What the fixture app answers. */
export interface FixtureAnswer {
  readonly visits: number
  readonly extensions: readonly string[]
  readonly ini: Readonly<Record<string, string | null>>
  readonly cookies: readonly string[]
  readonly servedBy: number | undefined
}

interface StartedInstance extends Backend {
  stop(): Promise<void>
}

/** The fixture app on two instances behind a router. */
export interface RunningApp<Instance extends StartedInstance> {
  readonly instances: readonly Instance[]
  /** Asks this often as one new visitor; the router decides which instance answers. */
  visit(times: number): Promise<FixtureAnswer[]>
  stop(): Promise<void>
}

/** Starts instances 0 and 1, and a router in front of them. */
export async function startBehindRouter<Instance extends StartedInstance>(
  start: (index: number) => Promise<Instance>,
): Promise<RunningApp<Instance>> {
  const instances: Instance[] = []
  const router = await startRouter()
  const stop = async () => {
    await router.stop()
    await Promise.all(instances.map((instance) => instance.stop()))
  }
  try {
    for (const index of [0, 1]) instances.push(await start(index))
  } catch (error) {
    await stop()
    throw error
  }
  for (const instance of instances) router.add(instance)
  return { instances, stop, visit: (times) => visit(router.url, times) }
}

async function visit(url: string, times: number): Promise<FixtureAnswer[]> {
  const visitor = makeVisitor(url)
  const answers: FixtureAnswer[] = []
  for (let i = 0; i < times; i++) {
    const { status, body, servedBy } = await visitor.get('/')
    if (status !== 200) throw new Error(`expected status 200, got ${status}: ${body}`)
    answers.push({ ...JSON.parse(body), cookies: [...visitor.cookies.keys()], servedBy })
  }
  return answers
}
