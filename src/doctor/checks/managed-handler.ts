import type { Sourced } from '../../core/binding.ts'
import type { Finding } from '../../core/finding.ts'
import { findInPages, runsManaged } from '../../php/page-settings.ts'
import { isOn, settingOf, type Web, webOf } from '../../php/web.ts'
import { describeBypass } from '../../stores/redis/managed.ts'
import type { Check, Context } from '../check.ts'
import { writeAnew } from './effective-settings.ts'

/** Whether pages run the managed handler before anything else, and only where it was meant. */
export const managedHandler: Check = {
  id: 'php.handler',
  meaning: 'does PHP run the managed handler before each page?',
  needs: ['binding.plan', 'php.effective'],
  run: (context) => {
    const { host, plan } = context
    const { planned } = plan
    const isThere = runsManaged(host, prependFileOf(context).value)
    const isMeant = planned?.handler === 'managed'
    if (planned === undefined || isThere === isMeant)
      return isThere
        ? {
            title: 'PHP runs the managed handler before each page',
            findings: [...findForbidden(context), ...findSlow(context)],
          }
        : undefined
    return {
      title: `the ${planned.handler} handler was meant`,
      findings: [findOther(context, planned.handler)],
    }
  },
}

/** The `auto_prepend_file` that a page gets: its own directory's word for it comes before pools and ini files. */
export function prependFileOf({ host, appDirectory, ask }: Context): Sourced<string> {
  const name = 'auto_prepend_file'
  const { value, from } = settingOf(webOf(ask('settings')), name)
  // An empty setting is 0 in an answer.
  const inSettings = { value: value === null || value === '0' ? '' : value, from: from ?? '' }
  return findInPages(host, appDirectory, name) ?? inSettings
}

function findOther(context: Context, meant: string): Finding {
  const web = webOf(context.ask('settings'))
  const prependFile = prependFileOf(context)
  if (meant === 'managed' && prependFile.from !== '')
    return { id: 'php.bypassed', ...describeBypass(prependFile) }
  return {
    id: 'php.stale',
    level: 'warn',
    title: `${web.name} has settings that were written before PHP_SESSIONS_HANDLER was ${meant}`,
    from: web.ours ?? prependFile.from,
    fix: writeAnew(context, web),
  }
}

/** PHP includes nothing from elsewhere, and the file that it must run first would end every page. */
function findForbidden(context: Context): readonly Finding[] {
  const { value, from } = settingOf(webOf(context.ask('settings')), 'open_basedir')
  const directory = `${prependFileOf(context).value.replace(/\/[^/]*$/, '')}/`
  const allowed = value === null || value === '0' || value === '' ? ['/'] : value.split(':')
  if (allowed.some((path) => directory.startsWith(path.endsWith('/') ? path : `${path}/`))) return []
  return [
    {
      id: 'php.open-basedir',
      level: 'error',
      title: `open_basedir keeps PHP from the managed handler in ${directory}: every page ends with an error`,
      from: from ?? 'open_basedir',
      fix: `add :${directory} to open_basedir`,
    },
  ]
}

function findSlow(context: Context): readonly Finding[] {
  const web: Web = webOf(context.ask('settings'))
  const setting = settingOf(web, 'opcache.enable')
  if (isOn(setting)) return []
  return [
    {
      id: 'php.opcache',
      level: 'warn',
      title: `${web.name} has no opcache: the managed handler is compiled anew for each page, which takes longer than the rest of it`,
      from: setting.from ?? 'opcache.enable',
      fix: 'load the extension opcache, and leave opcache.enable on',
    },
  ]
}
