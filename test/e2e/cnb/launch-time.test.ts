import { expect, onTestFinished, test } from 'vitest'
import { CANARY } from '../../../lab/bindings.ts'
import type { Environment } from '../../../lab/cloudfoundry/lifecycle.ts'
import { paketoPhp } from '../../../lab/cnb/buildpacks.ts'
import type { CnbLifecycle, Image } from '../../../lab/cnb/lifecycle.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { fixtureApp } from '../../support/homes/cloudfoundry.ts'
import { bind, buildWithSessions, cnbLifecycles } from '../../support/homes/cnb.ts'

/** The median of the seconds that it takes to launch a command that ends at once. */
async function launchSeconds(lifecycle: CnbLifecycle, image: Image, env: Environment): Promise<number> {
  const seconds: number[] = []
  for (let i = 0; i < 9; i++) {
    const start = performance.now()
    expect(await lifecycle.run(image, ['true'], { env })).toMatchObject({ status: 0 })
    seconds.push((performance.now() - start) / 1000)
  }
  return seconds.sort((a, b) => a - b)[4] ?? 0
}

test('prints what the exec.d program adds to a launch, with Redis and with nothing bound', async () => {
  const [name, cnb] = cnbLifecycles.at(-1) as (typeof cnbLifecycles)[number]
  const { host, port, stop } = await startRedis({ password: CANARY })
  onTestFinished(stop)
  const { image: without } = await cnb.build({ app: fixtureApp(), buildpacks: [paketoPhp] })
  const { image } = await buildWithSessions(cnb)
  const base = await launchSeconds(cnb, without, {})
  const unbound = await launchSeconds(cnb, image, {})
  const bound = await launchSeconds(cnb, image, bind({ type: 'redis', host, port, password: CANARY }))
  const render = (seconds: number) => `${(seconds * 1000).toFixed(0)} ms (x ${(seconds / base).toFixed(2)})`
  console.log(
    `${name} launcher: ${render(base)}, nothing bound ${render(unbound)}, Redis bound ${render(bound)}`,
  )
})
