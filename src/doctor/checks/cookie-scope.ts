import { isObject, parseJson } from '../../core/binding.ts'
import type { Finding } from '../../core/finding.ts'
import { findSetting, isOn, type Web } from '../../php/web/web.ts'
import type { Check, Context } from '../check.ts'
import { pageOf } from '../page.ts'

/** Whether a browser keeps the cookie and sends it back: if it does not, every page begins a new session. */
export const cookieScope: Check = {
  id: 'session.cookie-scope',
  meaning: 'does a browser send the cookie back to every page?',
  needs: ['php.effective'],
  run: (context) => {
    const web = pageOf(context)
    const findings = [findUnused(web), findDomain(web, context), findPath(web, context)]
    return {
      title: 'a browser sends the cookie back to every page',
      findings: findings.filter((finding) => finding !== undefined),
    }
  },
}

const IN_CODE = 'in an ini file, or in the app with session_set_cookie_params()'

/** The value of a setting of text: in an answer an empty one is `0`. */
function textOf(web: Web, name: string): { value: string; from: string } {
  const setting = findSetting(web, name)
  const value = setting?.value ?? ''
  return { value: value === '0' ? '' : value, from: setting?.from ?? name }
}

function findUnused(web: Web): Finding | undefined {
  const setting = findSetting(web, 'session.use_cookies')
  if (setting === undefined || isOn(setting)) return undefined
  return {
    id: 'session.use-cookies',
    level: 'warn',
    title: 'session.use_cookies is off: PHP sends no cookie, so every page begins a new session',
    from: setting.from ?? 'session.use_cookies',
    fix: 'remove that line',
  }
}

function findDomain(web: Web, context: Context): Finding | undefined {
  const { value, from } = textOf(web, 'session.cookie_domain')
  const why = value === '' ? undefined : whyRejected(value, routesOf(context))
  if (why === undefined) return undefined
  return {
    id: 'session.cookie-domain',
    level: 'warn',
    title: `session.cookie_domain is ${value}: ${why}, so browsers drop the cookie and every page begins a new session`,
    from,
    fix: `remove session.cookie_domain, so that the cookie is for the host of the page; or set the name of that host ${IN_CODE}`,
  }
}

/** Below these names each customer has their own name, so browsers keep no cookie for all of them. */
const SHARED = [
  ...['co.uk', 'org.uk', 'com.au', 'co.jp', 'com.br', 'co.nz', 'co.za', 'com.tr', 'co.in'],
  ...['github.io', 'herokuapp.com', 'azurewebsites.net', 'cloudapp.net', 'cloudfront.net', 'run.app'],
  ...['appspot.com', 'web.app', 'netlify.app', 'vercel.app', 'pages.dev', 'fly.dev', 'onrender.com'],
  ...['cfapps.io', 'platformsh.site', 'elasticbeanstalk.com', 'ondigitalocean.app'],
]

/** Why browsers reject a cookie for a domain; undefined if they may not. `routes` is empty if unknown. */
function whyRejected(value: string, routes: readonly string[]): string | undefined {
  const domain = value.replace(/^\./, '').toLowerCase()
  if (domain.includes('://') || domain.includes('/')) return 'that is a URL, not a name'
  if (/:[0-9]+$/.test(domain)) return 'a domain has no port'
  if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(domain)) return 'that is not a name'
  if (/^[0-9.]+$/.test(domain)) return value.startsWith('.') ? 'an address has no dot before it' : undefined
  if (!domain.includes('.') || SHARED.includes(domain))
    return 'it is a public suffix, not the name of one site'
  const hosts = routes.map((route) => route.replace(/[/:].*$/, '').toLowerCase())
  const isOne = hosts.some((host) => host === domain || host.endsWith(`.${domain}`))
  if (hosts.length > 0 && !isOne) return `the app is at ${hosts.join(' and ')}`
  return undefined
}

function findPath(web: Web, context: Context): Finding | undefined {
  const { value, from } = textOf(web, 'session.cookie_path')
  const why = whyNarrow(value, routesOf(context))
  if (why === undefined) return undefined
  return {
    id: 'session.cookie-path',
    level: 'warn',
    title: `session.cookie_path is ${value === '' ? 'empty' : value}: ${why}`,
    from,
    fix: `set session.cookie_path = / ${IN_CODE}`,
  }
}

function whyNarrow(path: string, routes: readonly string[]): string | undefined {
  if (!path.startsWith('/'))
    return 'browsers use the directory of the page instead, so each directory has its own sessions'
  const paths = routes.map((route) => route.replace(/^[^/]*/, '') || '/')
  const covers = (route: string) =>
    path === '/' || `${route}/`.startsWith(path.endsWith('/') ? path : `${path}/`)
  if (paths.length === 0 || paths.some(covers)) return undefined
  return `the app is at ${paths.join(' and ')}, and the pages outside that path have no session`
}

/** The routes of an app on Cloud Foundry, host and path; empty elsewhere. */
function routesOf({ host }: Context): readonly string[] {
  const application = parseJson(host.env.VCAP_APPLICATION ?? '')
  const routes = isObject(application) ? (application.application_uris ?? application.uris) : undefined
  return Array.isArray(routes) ? routes.filter((route) => typeof route === 'string') : []
}
