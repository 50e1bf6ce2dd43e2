import { readFileSync } from 'node:fs'
import type { RestartResult } from '../simulation/restart.ts'
import type { SiteResult } from '../simulation/site.ts'
import type { ConnectionCost } from './connections.ts'
import type { HandshakeCost } from './handshakes.ts'
import type { MemcachedCost } from './memcached.ts'
import type { PageCase, PageCost } from './pages.ts'
import type { RestartCost } from './restart.ts'
import type { SessionCost } from './sessions.ts'
import type { SlotsCost } from './slots.ts'
import type { WaitCost } from './waits.ts'

/** bench/results/scale.json: what was measured, and what was simulated with it. */
export interface ScaleResults {
  readonly machine: Readonly<Record<string, string | number>>
  readonly pages: readonly PageCost[]
  readonly clusters: readonly PageCost[]
  readonly workers: readonly ConnectionCost[]
  readonly connections: readonly ConnectionCost[]
  readonly handshakes: readonly HandshakeCost[]
  readonly sessions: readonly SessionCost[]
  readonly waits: readonly WaitCost[]
  readonly restart: readonly RestartCost[]
  readonly slots: readonly SlotsCost[]
  readonly turns: readonly number[]
  readonly memcached: MemcachedCost
  readonly signatures: Readonly<Record<'rsa2048' | 'ecdsaP256', number>>
  readonly simulation: Simulation
}

export interface Simulation {
  readonly sites: readonly (SiteResult & { readonly instances: number; readonly bursts: boolean })[]
  readonly restarts: readonly (RestartResult & { readonly instances: number; readonly backlog: number })[]
}

export const RESULTS = 'bench/results/scale.json'

export function readResults(): ScaleResults {
  return JSON.parse(readFileSync(RESULTS, 'utf8')) as ScaleResults
}

/** The measurement of this case. */
export function pageCost(
  { pages, clusters }: Pick<ScaleResults, 'pages' | 'clusters'>,
  one: Partial<PageCase>,
): PageCost {
  const all = { handler: 'managed', tls: false, masters: 1, workers: 8, kilobytes: 1, ...one }
  const found = [...pages, ...clusters].find((page) =>
    (Object.keys(all) as (keyof PageCase)[]).every((name) => page[name] === all[name]),
  )
  if (found === undefined) throw new Error(`not measured: ${JSON.stringify(all)}`)
  return found
}
