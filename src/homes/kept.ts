import type { Finding } from '../core/finding.ts'
import { oneLine } from '../core/text.ts'
import type { SettingLine } from '../php/answers.ts'
import type { Layer, Layers } from '../php/layers.ts'
import { describeSavePath } from '../php/save-path.ts'
import type { Plan } from '../plan/plan.ts'
import { summarise } from '../plan/report.ts'

const HANDLER = 'session.save_handler'
const PATH = 'session.save_path'

/** Where some pages of an app really keep their sessions. */
export interface Kept {
  /** Names these pages; empty for all pages without another `Kept`. */
  readonly pages: string
  /** For people; undefined where the plan decides. */
  readonly place: string | undefined
  /** The line that overrides the plan. */
  readonly because: SettingLine | undefined
  /** Whether PHP can keep a session there. */
  readonly works: boolean
}

/** Finds where PHP will really keep the sessions of an app, according to a plan and everything that overrides it. */
export function findKept(plan: Plan, { before, after, pools, pages }: Layers): readonly Kept[] {
  // Lines that could override the managed handler are obstacles, and then the plan is different.
  if (plan.planned?.handler === 'managed')
    return [{ pages: '', place: undefined, because: undefined, works: true }]
  const base = plan.planned === undefined ? [...before, ...after] : after
  const keep = (layers: readonly Layer[]) => keptIn(plan, base, layers)
  const all = pools.length === 0 ? [keep([])] : pools.map((pool) => keep([pool]))
  const [first] = all
  const isOne = all.every((kept) => kept.place === first?.place && kept.works === first?.works)
  const whole = isOne && first !== undefined ? [{ ...first, pages: '' }] : all
  const others = pages.flatMap((layer) => {
    const kept = keep([...pools.slice(0, 1), layer])
    return kept.because !== undefined && layer.lines.includes(kept.because) ? [kept] : []
  })
  return [
    ...whole,
    ...others.filter((other) => !whole.some((kept) => kept.place === other.place && kept.pages === '')),
  ]
}

function keptIn(plan: Plan, base: readonly SettingLine[], layers: readonly Layer[]): Kept {
  const lines = [...base, ...layers.flatMap((layer) => layer.lines)]
  const handler = lines.findLast(({ name }) => name === HANDLER)
  const path = lines.findLast(({ name }) => name === PATH)
  const pages = layers.at(-1)?.pages ?? ''
  const planned = String(plan.directives.find(({ name }) => name === HANDLER)?.value ?? 'files')
  const used = handler?.value ?? planned
  const isOther = used !== planned || (path !== undefined && plan.planned !== undefined)
  if (!isOther) return { pages, place: undefined, because: undefined, works: true }
  // The path of the bound service does not suit another handler.
  const isForeign = plan.planned !== undefined && path === undefined
  const works = !isForeign && (used === 'files' || !/^(\/|$)/.test(path?.value ?? ''))
  const place =
    used === 'files' ? 'local files' : `${describeSavePath(path?.value ?? '')} by PHP's handler ${used}`
  return { pages, place, because: used === planned ? path : handler, works }
}

/** Says in one line where the sessions of an app are really kept, and why. */
export function summariseKept(plan: Plan, kept: readonly Kept[]): string {
  const [first] = kept
  const isWhole = first?.pages === '' && first.place !== undefined
  const unbound = plan.planned === undefined ? `, and ${plan.because}` : ''
  const start = isWhole
    ? `sessions are kept in ${first.place}, because ${describeCause(first.because)}${unbound}`
    : summarise(plan)
  return oneLine(start + describeExceptions(isWhole ? kept.slice(1) : kept))
}

/** Names the pages that keep their sessions elsewhere, as the end of a sentence. */
export function describeExceptions(kept: readonly Kept[]): string {
  return kept
    .filter(({ place }) => place !== undefined)
    .map(({ pages, place, because, works }) => {
      const who = pages.startsWith('the pool') ? `pages of ${pages}` : pages
      return `; but ${who} ${works ? `keep them in ${place}` : 'cannot keep any'}, because ${describeCause(because)}`
    })
    .join('')
}

function describeCause(line: SettingLine | undefined): string {
  return line === undefined ? '' : `${line.from} sets ${line.name} to ${shownValue(line)}`
}

function shownValue({ name, value }: SettingLine): string {
  return name === PATH ? describeSavePath(value) : value
}

/** Names the settings of an app that override those of the bound service. */
export function findOverridden({ planned }: Plan, kept: readonly Kept[]): readonly Finding[] {
  if (planned === undefined) return []
  const service = `${planned.store.title} service ${planned.service}`
  return kept.flatMap(({ pages, place, because, works }): readonly Finding[] => {
    if (place === undefined || because === undefined) return []
    const who = pages === '' ? 'sessions' : `the sessions of ${pages}`
    if (works)
      return [
        {
          id: 'php.overridden',
          level: 'warn',
          title: `${who} are kept in ${place}, not in ${service}: ${because.name} is ${shownValue(because)} there`,
          from: because.from,
          fix: 'remove that line, unless these sessions belong there',
        },
      ]
    return [
      {
        id: 'php.overridden',
        level: pages.startsWith('pages') ? 'warn' : 'error',
        title: `${who} cannot be kept: ${because.name} is ${shownValue(because)} there, and ${because.name === PATH ? HANDLER : PATH} is that of ${service}`,
        from: because.from,
        fix: `remove that line, or also set ${because.name === PATH ? HANDLER : PATH} there`,
      },
    ]
  })
}
