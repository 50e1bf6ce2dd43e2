import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeScratch } from '../../lab/processes/scratch.ts'
import type { JsonObject } from '../../src/core/binding.ts'
import { diagnose, makeMachine, run, withEnv } from '../support/doctor/machine.ts'

/** A server that answers nothing; says how often somebody has connected. */
async function startListener() {
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('expected a port')
  return { port: address.port, connections: () => connections }
}

/** Directories as a platform makes them for staging and build. */
function makePlaces() {
  const directory = makeScratch('places')
  const at = (name: string) => join(directory, name)
  for (const name of ['build', 'cache', 'deps/0', 'layers', 'platform/env'])
    mkdirSync(at(name), { recursive: true })
  writeFileSync(at('build/index.php'), '<?php')
  writeFileSync(at('plan.toml'), '')
  return at
}

const CREDENTIALS: Readonly<Record<string, (port: number) => JsonObject>> = {
  'a Redis': (port) => ({ host: '127.0.0.1', port, password: 'pw' }),
  'a Redis Cluster': (port) => ({ cluster_nodes: `127.0.0.1:${port}`, password: 'pw' }),
  Sentinels: (port) => ({ sentinels: `127.0.0.1:${port}`, master_name: 'sessions', password: 'pw' }),
}

test.each(Object.entries(CREDENTIALS))(
  'staging, build and explain connect to nothing, with %s',
  async (_, of) => {
    const listener = await startListener()
    const services = [{ name: 'app-redis-sessions', credentials: of(listener.port) }]
    const machine = await makeMachine({ services, isInstalled: false })
    const at = makePlaces()
    const building = withEnv(machine, {
      CNB_LAYERS_DIR: at('layers'),
      CNB_PLATFORM_DIR: at('platform'),
      CNB_BP_PLAN_PATH: at('plan.toml'),
      CNB_BUILDPACK_DIR: join(import.meta.dirname, '../../dist/buildpack-cnb'),
    })
    const done = [
      await run(machine, ['explain']),
      await run(machine, ['explain', '--json']),
      await run(machine, ['explain', '--acl']),
      await run(machine, ['supply', at('build'), at('cache'), at('deps'), '0']),
      await run(building, ['cnb-build']),
    ]
    expect(
      done.map(({ status }) => status),
      JSON.stringify(done),
    ).toEqual([0, 0, 0, 0, 0])
    expect(listener.connections()).toBe(0)
    // The doctor does connect, so the listener would have seen them.
    await diagnose(machine)
    expect(listener.connections()).toBeGreaterThan(0)
  },
)
