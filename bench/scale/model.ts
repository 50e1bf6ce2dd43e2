import { workersFor } from '../simulation/closed-forms.ts'
import { pageCost, type ScaleResults } from './results.ts'

/** An app, as far as its sessions need to know it; all of it may differ from yours. */
export interface App {
  readonly instances: number
  /** Of each instance: pm.max_children. */
  readonly workers: number
  /** Pages with a session, of each instance and each second. */
  readonly pagesPerSecond: number
  readonly pageSeconds: number
  readonly pagesPerVisit: number
  readonly visitSeconds: number
  /** session.gc_maxlifetime. */
  readonly lifetimeSeconds: number
  readonly kilobytes: 1 | 10 | 100
  readonly tls: boolean
}

export const USUAL: Omit<App, 'instances'> = {
  workers: 10,
  pagesPerSecond: 10,
  pageSeconds: 0.1,
  pagesPerVisit: 10,
  visitSeconds: 300,
  lifetimeSeconds: 1440,
  kilobytes: 10,
  tls: true,
}

/** A master's processor is planned to be busy for this part: the rest is for peaks and for what was not thought of. */
export const PLANNED_LOAD = 0.5
/** More would take long to copy to a new replica. */
export const MASTER_BYTES = 25e9
/** What a store takes by default. */
export const MAX_CLIENTS = 10_000

export interface Need {
  readonly pagesPerSecond: number
  readonly sessions: number
  readonly sessionBytes: number
  /** Of each master: a worker connects to all of them. */
  readonly connections: number
  readonly connectionBytes: number
  /** How many processors of a store it takes altogether. */
  readonly processors: number
  readonly masters: number
  /** Of a master's processor, for all workers to connect to it again. */
  readonly connectSeconds: number
  /** How many workers an instance needs, so that one page of a hundred waits for one. */
  readonly workersNeeded: number
}

/** What such an app needs, by multiplication alone. */
export function needOf(app: App, results: ScaleResults): Need {
  const pagesPerSecond = app.instances * app.pagesPerSecond
  const sessions = (pagesPerSecond / app.pagesPerVisit) * (app.visitSeconds + app.lifetimeSeconds)
  const bytes = results.sessions.find(({ kilobytes }) => kilobytes === app.kilobytes)?.bytes ?? Number.NaN
  const connections = app.instances * app.workers
  const processors = pagesPerSecond * storeSeconds(app, results)
  const sessionBytes = sessions * bytes
  return {
    pagesPerSecond,
    sessions,
    sessionBytes,
    connections,
    connectionBytes: connections * connectionBytes(app, results),
    processors,
    masters: mastersFor(processors, sessionBytes),
    connectSeconds: connections * connectSeconds(app, results),
    workersNeeded: workersFor(app.pagesPerSecond * app.pageSeconds, 0.01),
  }
}

/** One, or a cluster: that has three at least. */
function mastersFor(processors: number, bytes: number): number {
  const needed = Math.max(Math.ceil(processors / PLANNED_LOAD), Math.ceil(bytes / MASTER_BYTES))
  return needed <= 1 ? 1 : Math.max(3, needed)
}

export function storeSeconds(
  { tls, kilobytes }: Pick<App, 'tls' | 'kilobytes'>,
  results: ScaleResults,
): number {
  return pageCost(results, { tls, kilobytes }).storeMicroseconds / 1e6
}

/** Of the resident memory, which has what TLS keeps outside the allocator's count, too. */
function connectionBytes({ tls }: Pick<App, 'tls'>, { workers }: ScaleResults): number {
  const most = workers.filter((one) => one.tls === tls).at(-1)
  return Math.max(most?.bytes ?? Number.NaN, most?.residentBytes ?? Number.NaN)
}

/** TLS 1.2 is what PHP before 8.2.19 speaks, and the cheaper of the two. */
export function connectSeconds({ tls }: Pick<App, 'tls'>, { handshakes }: ScaleResults): number {
  const found = handshakes.find(({ protocol }) => protocol === (tls ? 'TLSv1.2' : 'plain'))
  return (found?.storeMicroseconds ?? Number.NaN) / 1e6
}

export function waitSeconds({ waits }: ScaleResults): number {
  const most = waits.filter(({ handler }) => handler === 'managed').at(-1)
  return (most?.storeMicroseconds ?? Number.NaN) / 1e6
}
