import type { Finding } from '../core/finding.ts'
import type { BoundStore } from './bound.ts'
import type { Recognised, SettingLines } from './recognise.ts'

/**
 * Says what is wrong with a framework that does not use the bound store. There is no finding if its sessions are safe,
 * either in the store or in another place that all instances share.
 */
export function frameworkFindings(recognised: Recognised, bound: BoundStore): readonly Finding[] {
  const { name, verdict, where, from } = recognised
  const service = `the bound ${bound.store.title} service ${bound.service}`
  const fix = fixFor(recognised, recognised.advice(bound))
  if (verdict === 'own-local')
    return [
      {
        id: 'framework.ignores',
        level: 'warn',
        title: `${name} keeps its sessions in ${where}, not in ${service}: users are logged out when another instance answers`,
        from,
        fix,
      },
    ]
  if (verdict === 'breaks')
    return [
      {
        id: 'framework.breaks',
        level: 'warn',
        title: `${name} cannot start a session with ${service}, because ${where}`,
        from,
        fix,
      },
    ]
  return []
}

function fixFor({ verdict, where }: Recognised, advice: SettingLines | undefined): string {
  if (advice === undefined && verdict === 'breaks')
    return 'give its sessions their own directory, and run only one instance'
  if (advice === undefined)
    return `run only one instance, or keep ${where} on a volume that all instances share`
  const { place, lines, because } = advice
  const why = because === '' ? '' : ` (${because})`
  return `in ${place}: ${lines.map((line) => line.trim()).join(' ')}${why}`
}
