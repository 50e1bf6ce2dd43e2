import { setTimeout as sleep } from 'node:timers/promises'

const LIMIT_SECONDS = 30

/** Waits until something has happened that a server does in its own time; `expected` names it in the error. */
export async function until(expected: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + LIMIT_SECONDS * 1000
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`waited ${LIMIT_SECONDS} s for ${expected}`)
    await sleep(50)
  }
}
