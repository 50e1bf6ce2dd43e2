import { expect } from 'vitest'
import release from '../../src/stores/redis/handler/release.lua'
import take from '../../src/stores/redis/handler/take.lua'
import type { Model } from './lock-model.ts'
import { compile } from './lua.ts'
import { search } from './search.ts'

type Requests = Model['does']

export const one: Requests = ['set']
export const two: Requests = ['set', 'set']

/** A model of requests that run the managed handler's two scripts, each after `change`. */
export function makeModel(
  does: Requests,
  more: Partial<Model> = {},
  change: (script: string) => string = (script) => script,
): Model {
  return {
    take: compile(change(take)),
    release: compile(change(release)),
    does,
    data: '0',
    write: (client) => 'xyz'.charAt(client),
    breaks: [],
    deaths: 0,
    hasTimeout: true,
    givesUp: false,
    isStrict: false,
    sendsHash: false,
    maxWaiting: 9,
    patience: { outlastsTake: true, leaves: true },
    ...more,
  }
}

/** Demands that no order of events breaks the lock. */
export function expectSound(does: Requests, more: Partial<Model>): void {
  const { violation, trace, states } = search(makeModel(does, more))
  expect({ violation, trace }).toEqual({ violation: undefined, trace: [] })
  // A search that stops early proves nothing.
  expect(states).toBeGreaterThan(does.length === 1 ? 20 : 100)
}

/** A script broken in one place, the requests that show it, and the violation that must be found. */
export type Mutant = readonly [
  name: string,
  sound: string,
  broken: string,
  does: Requests,
  more: Partial<Model>,
  violation: string,
]

/** Demands that the search finds nothing with the sound scripts, and the violation with the broken one. */
export function expectFound([, sound, broken, does, more, violation]: Mutant): void {
  expect((take + release).split(sound), `the scripts hold once: ${sound}`).toHaveLength(2)
  expect(search(makeModel(does, more)).violation).toBeUndefined()
  const change = (script: string) => script.replace(sound, broken)
  expect(search(makeModel(does, more, change)).violation).toContain(violation)
}
