import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Container } from '../../homes/container.ts'

const KILL_MILLISECONDS = 100
const LOCK_SECONDS = 2

const childrenOf = (pid: number | string) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)

/** The lock of a worker that has died lives for a minute, which is too long for a test. */
export function shortenLocks(bound: Container): void {
  const store = join(bound.stateDirectory(), 'php-sessions-store.php')
  const text = readFileSync(store, 'utf8')
  expect(text).toContain(`'lockSeconds' => 60`)
  writeFileSync(store, text.replace(`'lockSeconds' => 60`, `'lockSeconds' => ${LOCK_SECONDS}`))
}

/** Kills a worker of php-fpm every 100 ms; the returned function stops that and gives the number of kills. */
export function killWorkers(exec: number): () => Promise<number> {
  const [master = ''] = childrenOf(exec)
  let isOver = false
  let kills = 0
  const killing = async () => {
    while (!isOver) {
      await sleep(KILL_MILLISECONDS)
      const workers = childrenOf(master)
      const worker = workers[Math.floor(Math.random() * workers.length)]
      if (worker === undefined) continue
      process.kill(Number(worker), 'SIGKILL')
      kills++
    }
    return kills
  }
  const killed = killing()
  return () => {
    isOver = true
    return killed
  }
}
