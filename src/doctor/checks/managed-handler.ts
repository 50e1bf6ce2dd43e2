import type { Sourced } from '../../core/binding.ts'
import type { Finding } from '../../core/finding.ts'
import type { Handler } from '../../core/options.ts'
import { allows } from '../../homes/obstacles.ts'
import { findInPages, runsManaged } from '../../php/web/page-settings.ts'
import { isOn, settingOf, type Web, webOf } from '../../php/web/web.ts'
import type { PlannedStore } from '../../plan/plan.ts'
import { describeLateBypass } from '../../stores/handler/managed.ts'
import type { Check, Context } from '../check.ts'
import { pageOf } from '../page.ts'
import { writeAgain } from './effective-settings.ts'

/** Whether PHP runs the managed handler before each page, and only where PHP_SESSIONS_HANDLER asks for it. */
export const managedHandler: Check = {
  id: 'php.handler',
  meaning: 'does PHP run the managed handler before each page?',
  needs: ['binding.plan', 'php.effective'],
  run: (context) => {
    const { host, plan } = context
    const { planned } = plan
    const isRun = runsManaged(host, prependFileOf(context).value)
    const isExpected = planned?.handler === 'managed'
    if (planned === undefined || isRun === isExpected)
      return isRun
        ? {
            title: 'PHP runs the managed handler before each page',
            findings: [...findOpenBasedir(context), ...findNoOpcache(context)],
          }
        : undefined
    return {
      title: `the ${planned.handler} handler is expected`,
      findings: [findWrongHandler(context, planned)],
    }
  },
}

/** The `auto_prepend_file` that a page gets: the app's `.user.ini` or `.htaccess` overrides pools and ini files. */
export function prependFileOf({ host, appDirectory, ask }: Context): Sourced<string> {
  const name = 'auto_prepend_file'
  const { value, from } = settingOf(webOf(ask('settings')), name)
  // In an answer an empty setting is `0`.
  const inSettings = { value: value === null || value === '0' ? '' : value, from: from ?? '' }
  return findInPages(host, appDirectory, name) ?? inSettings
}

const OTHER_HANDLER: Readonly<Record<Handler, Handler>> = { native: 'managed', managed: 'native' }

function findWrongHandler(context: Context, planned: PlannedStore): Finding {
  const { handler: expected } = planned
  const web = pageOf(context)
  const prependFile = prependFileOf(context)
  if (expected === 'managed' && prependFile.from !== '')
    return { id: 'php.bypassed', ...describeLateBypass(prependFile, planned.endpoint) }
  return {
    id: 'php.stale',
    level: 'warn',
    title: `${web.name} has the settings for the ${OTHER_HANDLER[expected]} handler, expected those for the ${expected} one`,
    from: web.ours ?? prependFile.from,
    fix: writeAgain(context, web),
  }
}

/** PHP includes no file outside open_basedir: where the handler's is outside, every page ends with an error. */
function findOpenBasedir(context: Context): readonly Finding[] {
  const { value, from } = settingOf(pageOf(context), 'open_basedir')
  const directory = prependFileOf(context).value.replace(/\/[^/]*$/, '')
  if (value === null || value === '0' || allows(value, directory)) return []
  return [
    {
      id: 'php.open-basedir',
      level: 'error',
      title: `open_basedir does not include ${directory}/, where the managed handler is: every page ends with an error`,
      from: from ?? 'open_basedir',
      fix: `add :${directory}/ to open_basedir`,
    },
  ]
}

function findNoOpcache(context: Context): readonly Finding[] {
  const web: Web = pageOf(context)
  const setting = settingOf(web, 'opcache.enable')
  if (isOn(setting)) return []
  return [
    {
      id: 'php.opcache',
      level: 'warn',
      title: `${web.name} has no opcache: it compiles the managed handler again for each page, which takes longer than running it`,
      from: setting.from ?? 'opcache.enable',
      fix: 'load the extension opcache, and keep opcache.enable on',
    },
  ]
}
