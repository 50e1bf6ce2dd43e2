import { findSetting, isOn, secondsOf, type Web } from '../../../php/web/web.ts'
import type { Check, Context } from '../../check.ts'
import { pageOf } from '../../page.ts'

/** Whether session ids and their cookie are protected as OWASP's ASVS asks in its chapter on sessions. */
export const protection: Check = {
  id: 'session.protection',
  meaning: 'are session ids and their cookie protected?',
  needs: ['php.effective'],
  run: (context) => {
    const web = pageOf(context)
    return {
      title: 'session ids and their cookie are protected',
      findings: WEAKNESSES.flatMap((weakness) => {
        const setting = findSetting(web, weakness.setting)
        // A later PHP may not have it any more.
        if (setting === undefined || !weakness.isWeak(setting.value ?? '', web, context)) return []
        const { id, title, fix } = weakness
        return [
          {
            id,
            level: 'warn',
            title: typeof title === 'string' ? title : title(context),
            from: setting.from ?? `PHP's default of ${weakness.setting}, as no ini file sets it`,
            fix: typeof fix === 'string' ? fix : fix(context),
          },
        ]
      }),
    }
  },
}

interface Weakness {
  readonly setting: string
  readonly id: string
  isWeak(value: string, web: Web, context: Context): boolean
  readonly title: string | ((context: Context) => string)
  readonly fix: string | ((context: Context) => string)
}

/** An app may set these itself before it starts a session; php-sessions cannot see that. */
const IN_CODE = 'in an ini file, or in the app with session_set_cookie_params()'

/** In an answer an empty setting is `0`. */
const isOff = (value: string) => !isOn({ value })

const WEAKNESSES: readonly Weakness[] = [
  {
    setting: 'session.use_strict_mode',
    id: 'session.strict-mode',
    isWeak: isOff,
    title: (context) =>
      isStrictModeUsed(context)
        ? 'session.use_strict_mode is off: PHP accepts a session id that an attacker made up and planted'
        : `session.use_strict_mode is off, because PHP's own handler cannot use it with ${topologyOf(context)}: PHP accepts a session id that an attacker made up and planted`,
    fix: (context) =>
      isStrictModeUsed(context)
        ? 'set session.use_strict_mode = On in an ini file'
        : 'use the managed handler, which can: remove PHP_SESSIONS_HANDLER=native, or the obstacle that a warning names; and call session_regenerate_id(true) at each login',
  },
  {
    setting: 'session.use_only_cookies',
    id: 'session.only-cookies',
    isWeak: isOff,
    title:
      'session.use_only_cookies is off: PHP takes a session id from the URL, where anybody can plant one',
    fix: 'set session.use_only_cookies = On in an ini file',
  },
  {
    setting: 'session.use_trans_sid',
    id: 'session.trans-sid',
    isWeak: (value) => isOn({ value }),
    title:
      'session.use_trans_sid is on: session ids are in URLs, and so in logs, bookmarks and Referer headers',
    fix: 'set session.use_trans_sid = Off in an ini file',
  },
  {
    setting: 'session.cookie_httponly',
    id: 'session.cookie-httponly',
    isWeak: isOff,
    title: 'session.cookie_httponly is off: a script that was injected into a page can read the session id',
    fix: `set session.cookie_httponly = On ${IN_CODE}`,
  },
  {
    setting: 'session.cookie_secure',
    id: 'session.cookie-secure',
    isWeak: (value, _, { platform }) => isOff(value) && HTTPS_PLATFORMS.includes(platform.id),
    title: ({ platform }) =>
      `session.cookie_secure is off: TLS ends in front of the app (${platform.title}), and a browser sends the session id over plain HTTP, too`,
    fix: `set session.cookie_secure = On ${IN_CODE}, unless the app is also used over plain HTTP`,
  },
  {
    setting: 'session.cookie_samesite',
    id: 'session.cookie-samesite',
    isWeak: isOff,
    title:
      'session.cookie_samesite is not set: whether other sites can send requests with the session is left to the browser',
    fix: `set session.cookie_samesite = Lax ${IN_CODE}; a login that another site posts back may need None`,
  },
  {
    setting: 'session.sid_length',
    id: 'session.sid-length',
    isWeak: (value, web) => bitsOf(value, web) < SAFE_BITS,
    title: (context) => {
      const web = pageOf(context)
      const bits = bitsOf(findSetting(web, 'session.sid_length')?.value ?? '', web)
      return `session ids have ${bits} random bits, fewer than ${SAFE_BITS}: they are easier to guess`
    },
    fix: 'remove session.sid_length and session.sid_bits_per_character; PHP makes ids of 128 bits by default',
  },
]

const SAFE_BITS = 128

function bitsOf(length: string, web: Web): number {
  const bits = findSetting(web, 'session.sid_bits_per_character')
  return secondsOf({ value: length }) * (bits === undefined ? 4 : secondsOf(bits))
}

/** Where TLS ends in front of the app, so that PHP itself sees plain HTTP with X-Forwarded-Proto. */
const HTTPS_PLATFORMS: readonly Context['platform']['id'][] = [
  ...(['cloudfoundry', 'cnb', 'heroku', 'platformsh'] as const),
]

function topologyOf({ plan: { planned } }: Context): string {
  return planned?.endpoint.topology.value === 'cluster' ? 'a Redis Cluster' : 'Sentinels'
}

/** Whether the plan turns strict mode on; without a store PHP decides. */
function isStrictModeUsed({ plan }: Context): boolean {
  return plan.directives.find(({ name }) => name === 'session.use_strict_mode')?.value !== false
}

/** Whether php-fpm ends a request that hangs. */
export const timeLimit: Check = {
  id: 'php.time-limit',
  meaning: 'does php-fpm end a request that hangs?',
  needs: ['binding.plan', 'php.found'],
  run: (context) => {
    if (context.plan.planned === undefined || context.pools.length === 0) return undefined
    return { title: 'php-fpm ends a request that hangs', findings: context.hanging }
  },
}
