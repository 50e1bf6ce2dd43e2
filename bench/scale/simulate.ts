import { shorten } from '../parts/medians.ts'
import { simulateRestart } from '../simulation/restart.ts'
import { simulateSite } from '../simulation/site.ts'
import { type App, connectSeconds, needOf, storeSeconds, USUAL, waitSeconds } from './model.ts'
import type { Cells, ScaleTables } from './results.ts'

export const SIZES = [1, 10, 100, 1000, 10_000]

const [SEED, PAGES] = [2026, 30_000]
/** How long a restart is looked at. */
export const RESTART_SECONDS = 300
/** Requests of one visitor at once: a page that fetches six things that need the session. */
const BURSTS = { part: 0.3, size: 6 }
/** Redis' own, and what somebody may set who reads that it should be larger. */
export const BACKLOGS = [511, 65_535]

/** The tables of sites of these sizes, with as many masters as the arithmetic says, and with what was measured on one. */
export function simulate(tables: ScaleTables, sizes: readonly number[] = SIZES): ScaleTables {
  const apps = sizes.map((instances): App => ({ ...USUAL, instances }))
  return {
    'simulated sites': Object.fromEntries(
      apps.flatMap((app) => [false, true].map((isBursts) => simulateApp(app, isBursts, tables))),
    ),
    'simulated restarts': Object.fromEntries(
      apps.flatMap((app) => BACKLOGS.map((backlog) => restartApp(app, backlog, tables))),
    ),
  }
}

export const nameSite = (instances: number, isBursts: boolean) =>
  `${instances}${isBursts ? ', in bursts' : ''}`
export const nameRestart = (instances: number, backlog: number) => `${instances}, ${backlog} may wait`

function simulateApp(app: App, isBursts: boolean, tables: ScaleTables): readonly [string, Cells] {
  const { instances, workers, pagesPerSecond, pageSeconds } = app
  const site = {
    ...{ instances, workers, pagesPerSecond, pageSeconds },
    masters: needOf(app, tables).masters,
    roundTripSeconds: 0.0005,
    storeSeconds: storeSeconds(app, tables),
    waitSeconds: waitSeconds(tables),
    ...(isBursts ? { bursts: BURSTS } : {}),
  }
  const seconds = Math.max(2, PAGES / (instances * pagesPerSecond))
  const result = simulateSite(site, seconds, SEED)
  return [
    nameSite(instances, isBursts),
    {
      pages: [result.pages],
      'load of a master': [shorten(result.storeLoad)],
      'load of the busiest': [shorten(result.busiestLoad)],
      'busy workers': [shorten(result.busyWorkers)],
      'share that waited for a worker': [shorten(result.waitedForWorker)],
      'session p50 ms': [shorten(result.sessionP50 * 1000)],
      'session p99 ms': [shorten(result.sessionP99 * 1000)],
      'lock p50 ms': [shorten(result.lockP50 * 1000)],
      'lock p99 ms': [shorten(result.lockP99 * 1000)],
    },
  ]
}

function restartApp(app: App, backlog: number, tables: ScaleTables): readonly [string, Cells] {
  const { connections, pagesPerSecond, masters } = needOf(app, tables)
  const restart = {
    workers: connections,
    pagesPerSecond: pagesPerSecond / masters,
    storeSeconds: storeSeconds(app, tables),
    connectSeconds: connectSeconds(app, tables),
    backlog,
    limitSeconds: 2,
  }
  const { refused, recoveredAfter } = simulateRestart(restart, RESTART_SECONDS, SEED)
  const lasted = recoveredAfter ?? RESTART_SECONDS
  const share = refused === 0 ? 0 : refused / (restart.pagesPerSecond * lasted)
  return [
    nameRestart(app.instances, backlog),
    {
      'share refused': [shorten(share)],
      ...(recoveredAfter === null ? {} : { 'recovered after s': [shorten(recoveredAfter)] }),
    },
  ]
}
