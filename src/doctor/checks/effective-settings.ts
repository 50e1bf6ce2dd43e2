import type { Finding } from '../../core/finding.ts'
import { findOverridden } from '../../homes/kept.ts'
import type { Setting, SettingsAnswer } from '../../php/answers.ts'
import { runsManaged } from '../../php/web/page-settings.ts'
import { settingOf, type Web, webOf } from '../../php/web/web.ts'
import type { Check, Context } from '../check.ts'
import { pageOf } from '../page.ts'
import { serverName } from '../server-name.ts'

/** The settings that decide where sessions are kept and how PHP logs in there. */
const DECISIVE = [
  ...['session.save_handler', 'session.save_path'],
  ...['memcached.sess_sasl_username', 'memcached.sess_sasl_password'],
]

/** Compares the settings that PHP really has, after all ini files and pools, with those of the plan. */
export const effective: Check = {
  id: 'php.effective',
  meaning: 'does PHP use the settings for the bound service?',
  needs: ['php.found', 'php.ini'],
  run: (context) => {
    // The settings of another process are invisible here, and those of this process say nothing.
    if (context.obstructions.length > 0) return undefined
    const web = pageOf(context)
    const handler = settingOf(web, 'session.save_handler')
    const path = settingOf(web, 'session.save_path')
    const persistent = findPersistent(web, path)
    const title = `${web.name} keeps sessions in ${handler.value}: ${path.value}`
    if (persistent !== undefined) return { title, findings: [persistent] }
    if (context.plan.planned === undefined) return { title, findings: findLeftOver(context, web) }
    const wrong = DECISIVE.filter((name) => !settingOf(web, name).isExpected)[0]
    const overridden = findOverridden(context.plan, context.kept)
    // Then the settings were not even written.
    const broken = overridden.filter(({ level }) => level === 'error')
    if (wrong === undefined || broken.length > 0)
      return { title, findings: wrong === undefined ? overridden : broken }
    return { title, findings: [findWrong(context, web, wrong)] }
  },
}

function findPersistent(web: Web, { value, from }: Setting): Finding | undefined {
  const version = web.extensions.memcached
  if (value?.includes('PERSISTENT=') !== true || !/^[3-9]/.test(version ?? '')) return undefined
  return {
    id: 'memcached.persistent',
    level: 'error',
    title: `php-memcached ${version} rejects a save_path with PERSISTENT=, the form of version 2: PERSISTENT is replaced by memcached.sess_persistent = On`,
    from: from ?? 'session.save_path',
    fix: 'write only the servers, as host:port, and set memcached.sess_persistent = On; or remove the line, so that the settings of php-sessions apply',
  }
}

function findWrong(context: Context, web: Web, name: string): Finding {
  const setting = settingOf(web, name)
  const obstacle = findObstacle(context, web)
  if (obstacle !== undefined) return obstacle
  const [hidden] = web.unreadable
  if (hidden !== undefined && web.ours === null)
    return findUnreadable(
      `this user cannot read all ini files of ${web.name}, so the doctor sees other settings than a server that root starts`,
      hidden,
    )
  const title = `${web.name} does not use the settings of php-sessions: ${describeDifference(context, name, setting)}`
  if (web.ours !== null && setting.from?.startsWith(`${web.ours}:`) === true)
    return {
      id: 'php.stale',
      level: 'error',
      title: `${web.name} has settings that were written for other credentials: ${name} differs`,
      from: setting.from,
      fix: writeAgain(context, web),
    }
  if (web.ours !== null || web.pools.some((pool) => pool.name === name))
    return {
      id: 'php.effective',
      level: 'error',
      title,
      from: setting.from ?? `no ini file sets it, although ${web.ours} is read`,
      fix: setting.from === null ? writeAgain(context, web) : `remove that line: ${whyItWins(setting.from)}`,
    }
  const [directory] = web.scan
  const iniFile = `${directory?.path ?? web.path}/00-php-sessions.ini`
  const isWritten = context.advice.isManual && web.isApache
  const write = `${context.advice.writeSettings(iniFile, web.isFpm)}${isWritten ? ', then restart Apache' : ''}`
  if (directory !== undefined && !directory.isWritable && context.advice.isManual)
    return {
      id: 'php.ini-directory',
      level: 'error',
      title: `${title}; this user may not write to the directory of its ini files`,
      from: directory.path,
      fix: `make it writable, or run as its owner: ${write}`,
    }
  return {
    id: 'php.effective',
    level: 'error',
    title,
    from: setting.from ?? `no file of php-sessions in ${directory?.path ?? web.path}`,
    fix: write,
  }
}

/** A server that root starts reads the file; this user cannot see its settings. */
export function findUnreadable(title: string, file: string): Finding {
  return {
    id: 'php.unreadable',
    level: 'error',
    title,
    from: file,
    fix: 'run the doctor as root, or as the owner of that file',
  }
}

/** Nothing is bound, but PHP still has settings that an earlier start or `ini --output` wrote. */
function findLeftOver({ host, advice }: Context, web: Web): readonly Finding[] {
  const { value, from } = settingOf(web, 'session.save_handler')
  const isManaged = runsManaged(host, settingOf(web, 'auto_prepend_file').value ?? '')
  if (web.ours === null || (value === 'files' && !isManaged)) return []
  const servers = settingOf(web, 'session.save_path').value
  return [
    {
      id: 'php.left-over',
      level: 'warn',
      title: `nothing is bound, but ${web.name} still has settings of php-sessions, and keeps sessions in ${value}: ${servers}`,
      from: from ?? web.ours,
      fix: advice.isManual
        ? `remove ${web.ours}${web.isFpm ? ', then restart php-fpm' : ''}; or bind the service again`
        : 'restart the app; or bind the service again',
    },
  ]
}

/** The settings are for the managed handler, but a later change keeps it from running. */
function findObstacle(context: Context, web: Web): Finding | undefined {
  const { host, plan } = context
  const obstacle = plan.findings.find(({ id }) => id === 'handler.bypassed' || id === 'handler.blocked')
  if (obstacle === undefined || !runsManaged(host, web.settings.auto_prepend_file?.value ?? ''))
    return undefined
  return {
    id: 'php.bypassed',
    level: 'error',
    title: `${web.name} has the settings for the managed handler, which cannot run, and PHP's own handler has no password there: no session can start`,
    from: obstacle.from,
    fix: `${obstacle.fix}; or have PHP's own handler keep the sessions: ${writeAgain(context, web)}`,
  }
}

/** What to do about settings that are out of date. */
export function writeAgain({ advice }: Context, web: Web): string {
  const restart = advice.isManual && web.isApache ? ', then restart Apache' : ''
  return `${advice.writeSettings(web.ours ?? '', web.isFpm)}${restart}`
}

function whyItWins(from: string): string {
  return from.startsWith('-d ') || from.includes(' of pool ') || /\/\.(user\.ini|htaccess):\d+$/.test(from)
    ? 'it overrides every ini file'
    : 'it is read after the file of php-sessions'
}

/** The value of a setting and the expected one; for a secret, only that it differs. */
function describeDifference({ plan }: Context, name: string, { value }: Setting): string {
  if (value === null) return `${name} ${OTHER_SECRET}`
  const expected = plan.directives.find((directive) => directive.name === name)?.value
  const { planned } = plan
  // A save_path as a whole may be secret; its servers are not.
  const isServers = name === 'session.save_path' && planned !== undefined
  const shown = isServers ? planned.servers.map(serverName).join(', ') : String(expected)
  return `${name} is ${value || 'empty'}, expected ${shown}`
}

const OTHER_SECRET = 'is not the one in the binding'

/** Cron jobs, queue workers and migrations use the ini files of the command line. */
export const fpm: Check = {
  id: 'php.fpm',
  meaning: 'do php-fpm and the command line have the same settings?',
  needs: ['binding.plan', 'php.effective'],
  run: (context) => {
    const settings = context.ask('settings')
    const web = webOf(settings)
    if (!web.isFpm || context.plan.planned === undefined) return undefined
    return {
      title: 'php-fpm and the command line have the same settings',
      findings: findDifferences(context, settings, web),
    }
  },
}

function findDifferences(
  { advice }: Context,
  { cli }: Partial<SettingsAnswer>,
  web: Web,
): readonly Finding[] {
  const name = DECISIVE.find((decisive) => cli?.settings[decisive]?.isExpected === false)
  const setting = name === undefined ? undefined : cli?.settings[name]
  if (cli === undefined || setting === undefined) return []
  return [
    {
      id: 'php.fpm-differs',
      level: 'warn',
      title: `PHP on the command line keeps sessions elsewhere than ${web.name}: ${name} ${setting.value === null ? OTHER_SECRET : `is ${setting.value}`} there`,
      from: setting.from ?? `ini files in ${cli.scan.map(({ path }) => path).join(', ') || cli.path}`,
      fix: `if scripts on the command line use sessions: ${advice.writeSettings(`${cli.scan[0]?.path ?? cli.path}/00-php-sessions.ini`, false)}`,
    },
  ]
}
