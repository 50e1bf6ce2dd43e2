import { joinWords } from '../core/text.ts'
import type { Host } from '../host/host.ts'
import { type App, openApp } from './app.ts'
import { type BoundStore, NEEDS, type Need, readBoundServer } from './bound.ts'
import { versionIsBelow } from './composer.ts'
import type { AppVariable, FrameworkAdvice, FrameworkOutcome, FrameworkVerdict, Rule } from './framework.ts'
import { judge, readAppSetting } from './judge.ts'
import { rules } from './rules/index.ts'

/** Lines to write, and where. */
export interface SettingLines {
  readonly place: string
  readonly lines: readonly string[]
  /** Why the lines do not choose the bound service but another shared place; empty if they choose the service. */
  readonly because: string
}

/** The framework of an app, and what it does with sessions. */
export interface Recognised {
  readonly id: string
  /** With the version if it is known, e.g. `Laravel 11.2.0`. */
  readonly name: string
  readonly verdict: FrameworkVerdict
  readonly where: string
  /** How it was recognised, and the settings that decided. */
  readonly from: string
  /** The verdict in one line, for people. */
  readonly note: string
  /** How to configure it for this service; undefined if that is unnecessary or impossible. */
  advice(bound: BoundStore): SettingLines | undefined
  /** What to set at startup instead; empty if that is impossible or the app has settings of its own. */
  environment(bound: BoundStore): readonly AppVariable[]
}

/** Recognises the framework by Composer's files or by its own; undefined if no rule fits. */
export function recogniseFramework(host: Host, appDirectory: string): Recognised | undefined {
  const app = openApp(host, appDirectory)
  for (const rule of rules) {
    const sign = findSign(app, rule)
    if (sign !== undefined) return describeFramework(app, rule, sign)
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
    locked?.version ?? (rule.release === undefined ? undefined : readAppSetting(app, rule.release)?.value)
  return { version, from: locked === undefined ? (files ?? []).join(', ') : `${locked.from} ${installed}` }
}

function describeFramework(app: App, rule: Rule, { version, from }: Sign): Recognised | undefined {
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

const NOTES: Readonly<Record<FrameworkVerdict, (outcome: FrameworkOutcome) => string>> = {
  php: () => "uses PHP's session handler: its sessions are wherever PHP keeps them",
  'own-local': ({ where }) =>
    `keeps its sessions in ${where}, which instances do not share; it does not use PHP's session handler`,
  'own-shared': ({ where }) =>
    `keeps its sessions in ${where}, which all instances share, so no session is lost; it does not use PHP's session handler`,
  breaks: ({ where }) => `cannot start a session while a store is bound, because ${where}`,
  none: () => "starts no PHP sessions; other code that starts one uses PHP's session handler",
}

function chooseAdvice(
  { verdict }: FrameworkOutcome,
  { name, advice = [] }: Rule,
  version: string | undefined,
  bound: BoundStore,
): SettingLines | undefined {
  if (verdict === 'php' || verdict === 'none') return undefined
  const server = readBoundServer(bound)
  const candidates = advice.filter(
    ({ store, since, only, isElsewhere = false }) =>
      (store === undefined || store === server.store) &&
      (only === undefined || version === only) &&
      (since === undefined || versionIsBelow(version, since) !== true) &&
      !(isElsewhere && verdict === 'own-shared'),
  )
  const unmet = ({ lacks }: FrameworkAdvice) => lacks.filter((need) => server.needs.includes(need))
  const chosen = candidates.find((candidate) => unmet(candidate).length === 0)
  if (chosen === undefined) return undefined
  const [first = chosen] = candidates
  return { place: chosen.place, lines: chosen.lines(server), because: whyElsewhere(name, unmet(first)) }
}

function whyElsewhere(name: string, needs: readonly Need[]): string {
  if (needs.length === 0) return ''
  const unsupported = joinWords(
    needs.map((need) => NEEDS[need]),
    'or',
  )
  return `${name} itself cannot use this service: it does not support ${unsupported}`
}
