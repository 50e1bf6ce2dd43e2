import type { Playground } from '../engine/playground.ts'
import { ADA } from '../scenes/measures.ts'
import type { Control } from './snapshot.ts'

/** Something that a control of the page does to all lanes. */
export interface Deed {
  /** Beside its mark on the timeline. */
  readonly label: string
  /** What it does, and why one would: for the story. */
  readonly text: string
  readonly page?: string
  readonly carryOut: (playground: Playground) => unknown
}

const IN_PARALLEL = 20

type Simple = Exclude<Control['do'], 'open' | 'play' | 'kill' | 'stick' | 'click' | 'load'>

const SIMPLE: Readonly<Record<Simple, Deed>> = {
  'start missing': {
    label: 'missing instances start',
    text: 'The platform starts the missing instances, as it does after a crash.',
    page: 'docs/cloudfoundry.md',
    carryOut: (playground) => playground.startMissing(),
  },
  'restart instances': {
    label: 'cf restart',
    text: 'cf restart: each instance starts again from the same droplet, with what is bound now.',
    page: 'docs/cloudfoundry.md#what-happens',
    carryOut: (playground) => playground.restartInstances(),
  },
  restage: {
    label: 'cf restage',
    text: 'cf restage: the buildpacks make a new droplet with what is bound now, and each instance starts from it.',
    page: 'docs/cloudfoundry.md#what-happens',
    carryOut: (playground) => playground.restage(),
  },
  'click in parallel': {
    label: `${IN_PARALLEL} clicks at once`,
    text: `${ADA} clicks ${IN_PARALLEL} times at once, as a page with many requests does.`,
    page: 'docs/contract.md',
    carryOut: (playground) => playground.clickInParallel(ADA, IN_PARALLEL),
  },
  freeze: {
    label: 'stores frozen',
    text: 'The stores are frozen: they accept connections and never answer. doctor reports it as net.silent.',
    page: 'docs/messages.md#netsilent',
    carryOut: (playground) => playground.freezeStores(),
  },
  thaw: {
    label: 'stores thawed',
    text: 'The stores are thawed and answer the waiting requests.',
    carryOut: (playground) => playground.thawStores(),
  },
  'restart store': {
    label: 'stores restart',
    text: 'The stores restart: for a moment nothing accepts connections. doctor reports it as net.connect.',
    page: 'docs/messages.md#netconnect',
    carryOut: (playground) => playground.restartStores(),
  },
  'fail over': {
    label: 'masters killed',
    text: 'The masters are killed, and a replica takes over. An app that knows only one address stays with the dead one.',
    page: 'docs/managed-handler.md#when-the-store-cannot-be-used',
    carryOut: (playground) => playground.failOver(),
  },
  rotate: {
    label: 'passwords rotated',
    text: 'The stores get new passwords and end all connections. Running instances have the old password. doctor reports it as auth.rejected.',
    page: 'docs/messages.md#authrejected',
    carryOut: (playground) => playground.rotatePasswords(),
  },
}

/** What a control does; undefined for those that the show does by itself. */
export function deedOf(control: Control): Deed | undefined {
  switch (control.do) {
    case 'open':
    case 'play':
    case 'click':
    case 'load':
      return undefined
    case 'kill':
      return {
        label: `instance ${control.index} killed`,
        text: `Instance ${control.index} is killed without a warning, as in a crash.`,
        page: 'docs/cloudfoundry.md',
        carryOut: (playground) => playground.kill(control.index),
      }
    case 'stick':
      return control.isOn
        ? {
            label: 'sticky by JSESSIONID',
            text: 'The router sticks by JSESSIONID. PHP calls its cookie PHPSESSID: an app that does not rename it is not helped.',
            page: 'docs/cloudfoundry.md',
            carryOut: (playground) => playground.stickTo(true),
          }
        : {
            label: 'not sticky',
            text: 'The router takes turns: each request goes to the next instance.',
            page: 'docs/cloudfoundry.md',
            carryOut: (playground) => playground.stickTo(false),
          }
    default:
      return SIMPLE[control.do]
  }
}
