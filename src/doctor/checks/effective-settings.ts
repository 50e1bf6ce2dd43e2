import type { Finding } from '../../core/finding.ts'
import { Secret } from '../../core/secret.ts'
import type { Setting, SettingsAnswer } from '../../php/answers.ts'
import { settingOf, type Web, webOf } from '../../php/web.ts'
import type { Check, Context } from '../check.ts'
import { nameOf } from '../server-name.ts'

/** The settings without which sessions are elsewhere, or in nobody's hands. */
const DECISIVE = [
  ...['session.save_handler', 'session.save_path'],
  ...['memcached.sess_sasl_username', 'memcached.sess_sasl_password'],
]

/** What PHP really has, from all its ini files and pools, against what was meant. */
export const effective: Check = {
  id: 'php.effective',
  meaning: 'does PHP use the settings for what is bound?',
  needs: ['php.found', 'php.ini'],
  run: (context) => {
    const web = webOf(context.ask('settings'))
    const handler = settingOf(web, 'session.save_handler')
    const path = settingOf(web, 'session.save_path')
    const persistent = findPersistent(web, path)
    const title = `${web.name} keeps sessions in ${handler.value}: ${path.value}`
    if (persistent !== undefined) return { title, findings: [persistent] }
    if (context.plan.planned === undefined) return { title, findings: [] }
    const wrong = DECISIVE.filter((name) => !settingOf(web, name).isExpected)[0]
    return { title, findings: wrong === undefined ? [] : [findWrong(context, web, wrong)] }
  },
}

function findPersistent(web: Web, { value, from }: Setting): Finding | undefined {
  const version = web.extensions.memcached
  if (value?.includes('PERSISTENT=') !== true || !/^[3-9]/.test(version ?? '')) return undefined
  return {
    id: 'memcached.persistent',
    level: 'error',
    title: `php-memcached ${version} refuses a save_path with PERSISTENT=, which was for version 2: PERSISTENT is replaced by memcached.sess_persistent = On`,
    from: from ?? 'session.save_path',
    fix: 'write the servers alone, host:port, and memcached.sess_persistent = On; or remove the line for ours',
  }
}

function findWrong(context: Context, web: Web, name: string): Finding {
  const setting = settingOf(web, name)
  const is = `${name} is ${setting.value === null ? 'another value' : setting.value || 'empty'}`
  const title = `${web.name} does not use these settings: ${is}, expected ${expectedOf(context, name)}`
  if (web.ours !== null && setting.from?.startsWith(`${web.ours}:`) === true)
    return {
      id: 'php.stale',
      level: 'error',
      title: `${web.name} has settings that were written for other credentials: ${name} differs`,
      from: setting.from,
      fix: writeAnew(context, web),
    }
  if (web.ours !== null || web.pools.some((pool) => pool.name === name))
    return {
      id: 'php.effective',
      level: 'error',
      title,
      from: setting.from ?? `no ini file says it, and ${web.ours} is read`,
      fix: setting.from?.includes(' of pool ')
        ? 'remove that line: it wins over every ini file'
        : 'remove that line: it is read after ours',
    }
  const [directory] = web.scan
  const iniFile = `${directory?.path ?? web.path}/00-php-sessions.ini`
  const write = context.advice.writeSettings(iniFile, web.isFpm)
  if (directory !== undefined && !directory.isWritable && context.advice.isManual)
    return {
      id: 'php.ini-directory',
      level: 'error',
      title: `${title}; the directory of its ini files cannot be written by this user`,
      from: directory.path,
      fix: `make it writable, or as its owner: ${write}`,
    }
  return {
    id: 'php.effective',
    level: 'error',
    title,
    from: setting.from ?? `no file of php-sessions in ${directory?.path ?? web.path}`,
    fix: write,
  }
}

/** What to do about settings that were right at another time. */
export function writeAnew({ advice }: Context, web: Web): string {
  return advice.writeSettings(web.ours ?? '', web.isFpm)
}

function expectedOf({ plan }: Context, name: string): string {
  const value = plan.directives.find((directive) => directive.name === name)?.value
  if (!(value instanceof Secret) && value !== undefined) return String(value)
  const { planned } = plan
  return name === 'session.save_path' && planned !== undefined
    ? planned.servers.map(nameOf).join(', ')
    : 'that of the binding'
}

/** Cron jobs, queue workers and migrations run by the command line's ini files. */
export const fpm: Check = {
  id: 'php.fpm',
  meaning: 'do php-fpm and the command line agree?',
  needs: ['binding.plan', 'php.effective'],
  run: (context) => {
    const settings = context.ask('settings')
    const web = webOf(settings)
    if (!web.isFpm || context.plan.planned === undefined) return undefined
    return { title: 'php-fpm and the command line agree', findings: findDifferences(context, settings, web) }
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
      title: `php on the command line keeps sessions elsewhere than ${web.name}: ${name} is ${setting.value ?? 'another value'} there`,
      from: setting.from ?? `ini files in ${cli.scan.map(({ path }) => path).join(', ') || cli.path}`,
      fix: `matters only to scripts with sessions: ${advice.writeSettings(`${cli.scan[0]?.path ?? cli.path}/00-php-sessions.ini`, false)}`,
    },
  ]
}
