import type { SettingsAnswer } from '../php/answers.ts'
import { isOn, secondsOf, settingOf, webOf } from '../php/web/web.ts'
import type { Plan } from '../plan/plan.ts'
import type { Override } from './overrides.ts'

/** What the cookie of the app's sessions will look like by PHP's settings; the app may still change it in its code. */
export interface SessionCookie {
  readonly name: string
  readonly path: string
  /** Empty for the host that the visitor asks for. */
  readonly domain: string
  /** In seconds; 0 until the browser is closed. */
  readonly lifetime: number
  readonly secure: boolean
  readonly httpOnly: boolean
  /** Empty where it is left to the browser. */
  readonly sameSite: string
}

/** Describes the cookie with the settings of a plan and of the PHP that serves the app; undefined without cookies. */
export function describeCookie(
  { directives }: Pick<Plan, 'directives'>,
  overrides: readonly Override[],
  settings: Partial<SettingsAnswer> | undefined,
): SessionCookie | undefined {
  if (settings?.cli === undefined) return undefined
  const web = webOf(settings)
  const readSetting = (name: string): string => {
    const planned = directives.find((directive) => directive.name === name)?.value
    const value = overrides.findLast((override) => override.name === name)?.value ?? planned
    const inPhp = settingOf(web, name).value ?? ''
    // In an answer an empty setting is `0`.
    return value === undefined ? (inPhp === '0' ? '' : inPhp) : String(value)
  }
  const isSet = (name: string) => isOn({ value: readSetting(name) })
  if (!isSet('session.use_cookies')) return undefined
  return {
    name: readSetting('session.name'),
    path: readSetting('session.cookie_path'),
    domain: readSetting('session.cookie_domain'),
    lifetime: secondsOf({ value: readSetting('session.cookie_lifetime') }),
    secure: isSet('session.cookie_secure'),
    httpOnly: isSet('session.cookie_httponly'),
    sameSite: readSetting('session.cookie_samesite'),
  }
}

/** The header that a new visitor gets. */
export function renderCookie({ name, path, domain, lifetime, secure, httpOnly, sameSite }: SessionCookie) {
  return [
    `Set-Cookie: ${name}=…`,
    ...(lifetime === 0 ? [] : [`Max-Age=${lifetime}`]),
    ...(path === '' ? [] : [`path=${path}`]),
    ...(domain === '' ? [] : [`domain=${domain}`]),
    ...(secure ? ['secure'] : []),
    ...(httpOnly ? ['HttpOnly'] : []),
    ...(sameSite === '' ? [] : [`SameSite=${sameSite}`]),
  ].join('; ')
}
