import { simulateRestart } from '../simulation/restart.ts'
import { simulateSite } from '../simulation/site.ts'
import { type App, connectSeconds, needOf, storeSeconds, USUAL, waitSeconds } from './model.ts'
import type { ScaleResults, Simulation } from './results.ts'

export const SIZES = [1, 10, 100, 1000, 10_000]

const [SEED, PAGES] = [2026, 30_000]
/** How long a restart is looked at. */
export const RESTART_SECONDS = 300
/** Requests of one visitor at once: a page that fetches six things that need the session. */
const BURSTS = { part: 0.3, size: 6 }
/** Redis' own, and what somebody may set who reads that it should be larger. */
const BACKLOGS = [511, 65_535]

/** Sites of these sizes, as many masters as the arithmetic says, and what was measured on one. */
export function simulate(results: ScaleResults, sizes: readonly number[] = SIZES): Simulation {
  const apps = sizes.map((instances): App => ({ ...USUAL, instances }))
  return {
    sites: apps.flatMap((app) => [false, true].map((bursts) => simulateApp(app, bursts, results))),
    restarts: apps.flatMap((app) => BACKLOGS.map((backlog) => restartApp(app, backlog, results))),
  }
}

function simulateApp(app: App, bursts: boolean, results: ScaleResults): Simulation['sites'][number] {
  const { instances, workers, pagesPerSecond, pageSeconds } = app
  const site = {
    ...{ instances, workers, pagesPerSecond, pageSeconds },
    masters: needOf(app, results).masters,
    roundTripSeconds: 0.0005,
    storeSeconds: storeSeconds(app, results),
    waitSeconds: waitSeconds(results),
    ...(bursts ? { bursts: BURSTS } : {}),
  }
  const seconds = Math.max(2, PAGES / (instances * pagesPerSecond))
  return { instances, bursts, ...simulateSite(site, seconds, SEED) }
}

function restartApp(app: App, backlog: number, results: ScaleResults): Simulation['restarts'][number] {
  const { connections, pagesPerSecond, masters } = needOf(app, results)
  const restart = {
    workers: connections,
    pagesPerSecond: pagesPerSecond / masters,
    storeSeconds: storeSeconds(app, results),
    connectSeconds: connectSeconds(app, results),
    backlog,
    limitSeconds: 2,
  }
  return { instances: app.instances, backlog, ...simulateRestart(restart, RESTART_SECONDS, SEED) }
}
