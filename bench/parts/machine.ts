import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem, type } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Machine } from '../benchmark.ts'

const WATCH_MILLISECONDS = 2000
/** Others may use this share of the processors of a machine that is called quiet. */
export const QUIET = 0.1
const SETTLE_TRIES = 15

export function describeMachine(): Machine {
  const [{ model } = { model: 'unknown' }] = cpus()
  return {
    cores: cpus().length,
    processor: model.trim(),
    memoryGigabytes: Math.round(totalmem() / 1e9),
    system: `${type()} ${release()}${distribution()}`,
    node: process.version,
  }
}

function distribution(): string {
  const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
  return name === undefined ? '' : `, ${name}`
}

export function loadAverage(): number {
  return Number((loadavg()[0] ?? 0).toFixed(2))
}

/** The share of all processors that is used while this process waits: from 0 to 1. */
export async function measureOthers(): Promise<number> {
  const before = readTimes()
  await sleep(WATCH_MILLISECONDS)
  const after = readTimes()
  return Number(((after.used - before.used) / Math.max(1, after.all - before.all)).toFixed(2))
}

/** Waits a while for a quiet machine: the benchmark before may still be removing its files. Gives the share as above. */
export async function settle(): Promise<number> {
  for (let tries = 1; ; tries++) {
    const others = await measureOthers()
    if (others < QUIET || tries === SETTLE_TRIES) return others
  }
}

/** Ticks, by the first line of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. */
export function readTimes(): { readonly used: number; readonly all: number } {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
  const times = line.split(/\s+/).slice(1, 9).map(Number)
  const all = times.reduce((sum, time) => sum + time, 0)
  return { used: all - (times[3] ?? 0) - (times[4] ?? 0), all }
}
