import { workersFor } from '../simulation/closed-forms.ts'
import { measured, namePageCase, pageCase, type ScaleTables } from './results.ts'

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
export function needOf(app: App, tables: ScaleTables): Need {
  const pagesPerSecond = app.instances * app.pagesPerSecond
  const sessions = (pagesPerSecond / app.pagesPerVisit) * (app.visitSeconds + app.lifetimeSeconds)
  const connections = app.instances * app.workers
  const processors = pagesPerSecond * storeSeconds(app, tables)
  const sessionBytes = sessions * bytesOfSession(app, tables)
  return {
    pagesPerSecond,
    sessions,
    sessionBytes,
    connections,
    connectionBytes: connections * connectionBytes(app, tables),
    processors,
    masters: mastersFor(processors, sessionBytes),
    connectSeconds: connections * connectSeconds(app, tables),
    workersNeeded: workersFor(app.pagesPerSecond * app.pageSeconds, 0.01),
  }
}

/** What one server takes, of each kind, before there must be another one. */
export interface Limits {
  readonly pagesPerSecond: number
  readonly sessions: number
  readonly connections: number
}

export function limitsOf(app: Omit<App, 'instances'>, tables: ScaleTables): Limits {
  return {
    pagesPerSecond: PLANNED_LOAD / storeSeconds(app, tables),
    sessions: MASTER_BYTES / bytesOfSession(app, tables),
    connections: MAX_CLIENTS,
  }
}

/** One, or a cluster: that has three at least. */
function mastersFor(processors: number, bytes: number): number {
  const needed = Math.max(Math.ceil(processors / PLANNED_LOAD), Math.ceil(bytes / MASTER_BYTES))
  return needed <= 1 ? 1 : Math.max(3, needed)
}

export function storeSeconds(
  { tls, kilobytes }: Pick<App, 'tls' | 'kilobytes'>,
  tables: ScaleTables,
): number {
  return measured(tables, 'pages', namePageCase(pageCase({ tls, kilobytes })), 'store µs/page') / 1e6
}

function bytesOfSession({ kilobytes }: Pick<App, 'kilobytes'>, tables: ScaleTables): number {
  return measured(tables, 'sessions', `${kilobytes} KB`, 'bytes on the master')
}

/** Of the memory of the process, which has what TLS keeps outside the allocator's count, too. */
function connectionBytes({ tls }: Pick<App, 'tls'>, tables: ScaleTables): number {
  const row = lastRow(
    tables,
    'connections',
    (name) => name.includes('php-fpm') && name.includes('TLS') === tls,
  )
  return Math.max(
    ...['bytes', 'bytes of the process'].map((what) => measured(tables, 'connections', row, what)),
  )
}

/** TLS 1.2 is what PHP before 8.2.19 speaks, and the cheaper of the two. */
export function connectSeconds({ tls }: Pick<App, 'tls'>, tables: ScaleTables): number {
  return measured(tables, 'handshakes', tls ? 'TLSv1.2' : 'without TLS', 'store µs') / 1e6
}

export function waitSeconds(tables: ScaleTables): number {
  const row = lastRow(tables, 'waits', (name) => name.includes('managed'))
  return measured(tables, 'waits', row, 'store µs/s') / 1e6
}

/** The row of the most workers: a table has the fewest first. */
export function lastRow(tables: ScaleTables, table: string, isWanted: (name: string) => boolean): string {
  return Object.keys(tables[table] ?? {}).findLast(isWanted) ?? ''
}
