import { joinWords } from '../core/text.ts'
import type { Host } from '../host/host.ts'
import { type App, openApp } from './app.ts'
import { type BoundStore, NEEDS, type Need, readBoundServer } from './bound.ts'
import { isBelow } from './composer.ts'
import type { Advice, Outcome, Rule, Variable, Verdict } from './framework.ts'
import { judge, readSetting } from './judge.ts'
import { rules } from './rules/index.ts'

/** What to write where. */
export interface SettingLines {
  readonly place: string
  readonly lines: readonly string[]
  /** Why these lines do not lead to the bound service but only make the sessions shared; may be empty. */
  readonly because: string
}

/** The framework of an app, and what it does with sessions. */
export interface Recognised {
  readonly id: string
  /** With the version where it is known, e.g. `Laravel 11.2.0`. */
  readonly name: string
  readonly verdict: Verdict
  readonly where: string
  /** What it was recognised by, and the settings that decided. */
  readonly from: string
  /** The verdict in one line, for people. */
  readonly note: string
  /** How to set it for this service; undefined where there is nothing to set. */
  advice(bound: BoundStore): SettingLines | undefined
  /** What to set at the start instead; empty where that is not possible or the app has its own settings. */
  environment(bound: BoundStore): readonly Variable[]
}

/** Recognises the framework by Composer's files or by its own; undefined where it is none that we know. */
export function recogniseFramework(host: Host, appDirectory: string): Recognised | undefined {
  const app = openApp(host, appDirectory)
  for (const rule of rules) {
    const sign = findSign(app, rule)
    if (sign !== undefined) return describe(app, rule, sign)
  }
  return undefined
}

interface Sign {
  readonly version: string | undefined
  readonly from: string
}

function findSign(app: App, rule: Rule): Sign | undefined {
  const installed = rule.packages.find((name) => app.packages.has(name))
  const files = rule.files
    .map((paths) => paths.map(app.find))
    .find((found) => found.every((path) => path !== undefined))
  if (installed === undefined && files === undefined) return undefined
  const locked = app.packages.get(installed ?? '')
  const version =
    locked?.version ?? (rule.release === undefined ? undefined : readSetting(app, rule.release)?.value)
  return { version, from: locked === undefined ? (files ?? []).join(', ') : `${locked.from} ${installed}` }
}

function describe(app: App, rule: Rule, { version, from }: Sign): Recognised | undefined {
  const judged = judge(app, version, rule.judgement)
  if (judged === undefined) return undefined
  const { outcome } = judged
  const name = version === undefined ? rule.name : `${rule.name} ${version}`
  return {
    id: rule.id,
    name,
    verdict: outcome.verdict,
    where: outcome.where,
    from: [from, ...judged.from].join(', '),
    note: `${name} ${NOTES[outcome.verdict](outcome)}${rule.remark === undefined ? '' : `; ${rule.remark}`}`,
    advice: (bound) => chooseAdvice(outcome, rule, version, bound),
    environment: (bound) => rule.environment?.(app, readBoundServer(bound), version) ?? [],
  }
}

const NOTES: Readonly<Record<Verdict, (outcome: Outcome) => string>> = {
  php: () => "uses PHP's session handler: its sessions are wherever PHP keeps them",
  'own-local': ({ where }) =>
    `keeps its sessions in ${where}, which each instance has for itself; PHP's session handler is not used`,
  'own-shared': ({ where }) =>
    `keeps its sessions in ${where}, which all instances share: none get lost; PHP's session handler is not used`,
  breaks: ({ where }) => `cannot start a session while a store is bound, because ${where}`,
  none: () => "has no PHP sessions of its own; whatever else starts one uses PHP's session handler",
}

function chooseAdvice(
  { verdict }: Outcome,
  { name, advice = [] }: Rule,
  version: string | undefined,
  bound: BoundStore,
): SettingLines | undefined {
  if (verdict === 'php' || verdict === 'none') return undefined
  const server = readBoundServer(bound)
  const candidates = advice.filter(
    ({ store, since, isElsewhere = false }) =>
      (store === undefined || store === server.store) &&
      (since === undefined || isBelow(version, since) !== true) &&
      !(isElsewhere && verdict === 'own-shared'),
  )
  const missing = ({ lacks }: Advice) => lacks.filter((need) => server.needs.includes(need))
  const chosen = candidates.find((candidate) => missing(candidate).length === 0)
  if (chosen === undefined) return undefined
  const [first = chosen] = candidates
  return { place: chosen.place, lines: chosen.lines(server), because: reason(name, missing(first)) }
}

function reason(name: string, needs: readonly Need[]): string {
  if (needs.length === 0) return ''
  const unknown = joinWords(
    needs.map((need) => NEEDS[need]),
    'or',
  )
  return `${name} itself cannot use this service, as it has no way to use ${unknown}`
}
