import { formatAddress } from '../core/address.ts'
import type { Sourced } from '../core/binding.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { renderValue } from '../core/formats/ini.ts'
import { Secret } from '../core/secret.ts'
import { oneLine } from '../core/text.ts'
import { VERSION } from '../core/version.ts'
import { summariseApp } from '../homes/framework.ts'
import { isUnloaded } from '../homes/machine/home.ts'
import { placesOf, webOf } from '../php/web/web.ts'
import { renderFindings } from '../plan/report.ts'
import type { BindingVerdict } from '../plan/verdict.ts'
import { renderCookie, type SessionCookie } from './cookie.ts'
import type { Explanation } from './explanation.ts'
import { NATIVE_HANDLERS } from './native.ts'
import type { Override } from './overrides.ts'

/** Renders an explanation for people, in sections. Empty sections are left out. */
export function renderExplanation(explanation: Explanation): string {
  const { platform, plan, options, verdicts, overrides, cookie, framework, findings, kept } = explanation
  const sections: readonly (readonly [title: string, lines: readonly string[]])[] = [
    ['Bound services', verdicts.map(renderVerdict)],
    ['Server and login', plan.planned === undefined ? [] : renderEndpoint(plan.planned.endpoint)],
    ['PHP', renderPhpLines(explanation)],
    ['Session handler', [...renderHandler(plan, options), ...renderWaiting(plan, options)]],
    ['Settings', [...plan.directives.flatMap(renderDirective), ...renderPending(plan)]],
    ['Files for these settings', plan.files.map(({ path }) => path)],
    ['Settings of the app that override these', overrides.map(renderOverride)],
    ['Session cookie', cookie === undefined ? [] : renderCookieLines(cookie)],
    ['Framework', renderFramework(framework)],
  ]
  const body = sections
    .filter(([, lines]) => lines.length > 0)
    .map(([title, lines]) => `\n${title}\n${lines.map((line) => `  ${oneLineIndented(line)}\n`).join('')}`)
  const said = findings.length === 0 ? '' : `\n${renderFindings(findings)}`
  const error = findings.find(({ level }) => level === 'error')
  const summary =
    error !== undefined
      ? `a start would fail: ${error.title}`
      : (findings.find(isUnloaded)?.title ??
        summariseApp(plan, framework, kept) + describeUnread(explanation))
  return `php-sessions ${VERSION} on ${platform.title} (${platform.from})\n${body.join('')}${said}\n${capitalise(oneLine(summary))}.\n`
}

function renderOverride({ name, value, from, pages }: Override): string {
  return `${name} = ${value ?? DOTS}  from ${from}${pages === '' ? '' : `, for ${pages}`}`
}

/** If php-sessions has not been started, PHP keeps its sessions where it did before. */
function describeUnread({ plan, settings }: Explanation): string {
  if (plan.planned === undefined || settings?.cli === undefined) return ''
  const web = webOf(settings)
  return web.ours === null ? `; ${web.name} does not read these settings yet` : ''
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

const DOTS = '••••'

function oneLineIndented(text: string): string {
  const indent = /^ */.exec(text)?.[0] ?? ''
  return indent + oneLine(text)
}

function renderVerdict({ binding, kind, isChosen, because }: BindingVerdict): string {
  const what = kind === undefined ? '' : ` (${kind.title})`
  return `${isChosen ? '✓' : '-'} ${binding.name}${what} in ${binding.source}: ${isChosen ? 'chosen' : 'not chosen'}, because ${because}`
}

function renderEndpoint(endpoint: Endpoint): readonly string[] {
  const { topology, servers, sentinel, tls, user, password, database, ca, clientCertificate } = endpoint
  const line = (name: string, value: Sourced<string> | undefined) =>
    value === undefined ? [] : [`${name.padEnd(18)} ${value.value}  from ${value.from}`]
  const told = <T>(value: Sourced<T> | undefined, text: (value: T) => string) =>
    value === undefined ? undefined : { value: text(value.value), from: value.from }
  const dots = () => DOTS
  const onOff = (isOn: boolean) => (isOn ? 'on' : 'off')
  return [
    ...line('topology', topology),
    ...servers.flatMap((server) =>
      line(sentinel === undefined ? 'server' : 'Sentinel', told(server, formatAddress)),
    ),
    ...line('TLS', told(tls, onOff)),
    ...line('user', user),
    ...line('password', told(password, dots)),
    ...line('database', told(database, String)),
    ...line(
      'CA',
      told(ca, () => 'in the binding'),
    ),
    ...line(
      'client certificate',
      told(clientCertificate, () => 'in the binding'),
    ),
    ...line('master', sentinel?.masterName),
    ...line('Sentinel TLS', told(sentinel?.tls, onOff)),
    ...line('Sentinel user', sentinel?.user),
    ...line('Sentinel password', told(sentinel?.password, dots)),
  ]
}

function renderPhpLines({ settings, plan }: Explanation): readonly string[] {
  if (settings?.cli === undefined) return ['no PHP answers']
  const web = webOf(settings)
  const versions = Object.entries(web.extensions).flatMap(([name, version]) =>
    version === null ? [] : [`${name} ${version}`],
  )
  const own = plan.planned?.store.name
  return [
    `${web.name} reads ${placesOf(web)}`,
    ...(web.isFpm ? [`php ${settings.version} on the command line reads ${placesOf(settings.cli)}`] : []),
    `extensions for sessions: ${versions.join(', ') || 'none'}`,
    ...(own === undefined || web.extensions[own] !== null
      ? []
      : [`not loaded: ${own}, which these sessions need`]),
    web.ours === null
      ? 'the file of php-sessions is not among them yet'
      : `the file of php-sessions: ${web.ours}`,
  ]
}

function renderHandler({ planned }: Explanation['plan'], options: Explanation['options']): readonly string[] {
  if (planned === undefined) return []
  const { handler, store, endpoint } = planned
  const { why, whyNot, describe } = store.managed
  const indent = (lines: readonly string[]) => lines.map((line) => `  ${line}`)
  const managed = indent(describe(endpoint, options))
  if (handler === 'managed')
    return [`managed, from php-sessions, because ${why(endpoint, options)}:`, ...managed]
  const { title, costs } = NATIVE_HANDLERS[store.name]
  const own = `native, ${title}`
  const native = options.PHP_SESSIONS_LOCKING ? indent(costs(endpoint)) : []
  const reason = whyNot(endpoint)
  if (reason !== undefined) return [`${own}; ${reason}:`, ...native]
  return store.wantsManaged(endpoint, options)
    ? [`${own}, because the managed handler cannot run:`, ...native, 'where it can:', ...managed]
    : [`${own}:`, ...native, 'with PHP_SESSIONS_HANDLER=managed:', ...managed]
}

/** Users search for this as "slow ajax". */
function renderWaiting(
  { planned }: Explanation['plan'],
  { PHP_SESSIONS_LOCKING: hasLocks }: Explanation['options'],
) {
  const isUnlocked = planned?.handler === 'native' && planned.endpoint.topology.value === 'cluster'
  if (planned === undefined || !hasLocks || isUnlocked) return []
  return [
    'pages of one visitor wait for each other (slow ajax), except after session_write_close() or read_and_close',
  ]
}

function renderCookieLines(cookie: SessionCookie): readonly string[] {
  return [
    renderCookie(cookie),
    "    from PHP's settings; an app can change it before it starts a session",
    ...(cookie.secure ? [] : ['    without secure: a browser sends it over plain HTTP, too']),
    ...(cookie.httpOnly ? [] : ['    without HttpOnly: scripts in a page can read it']),
    ...(cookie.sameSite === '' ? ['    without SameSite: browsers decide which other sites may use it'] : []),
    cookie.lifetime === 0
      ? '    it lives until the browser is closed'
      : `    it lives ${cookie.lifetime} seconds`,
  ]
}

function renderFramework({ recognised, variables }: Explanation['framework']): readonly string[] {
  if (recognised === undefined) return ["no framework known: PHP's handler is assumed"]
  return [
    recognised.note,
    `    from ${recognised.from}`,
    ...(variables.length === 0 ? [] : ['every start sets these variables, because the app does not:']),
    ...variables.flatMap(({ name, value, because }) => [
      `${name} = ${value instanceof Secret ? DOTS : value}`,
      `    ${because}`,
    ]),
  ]
}

/** The setting that only a start can know. */
function renderPending({ planned }: Explanation['plan']): readonly string[] {
  const master = planned?.endpoint.sentinel?.masterName.value
  if (master === undefined) return []
  return [`session.save_path = ${DOTS}`, `    every start asks the Sentinels for the master ${master}`]
}

function renderDirective({
  name,
  value,
  because,
}: Explanation['plan']['directives'][number]): readonly string[] {
  return [`${name} = ${value instanceof Secret ? DOTS : renderValue(value)}`, `    ${because}`]
}
