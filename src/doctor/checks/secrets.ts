import { isOn, settingOf } from '../../php/web/web.ts'
import type { Check } from '../check.ts'
import { pageOf } from '../page.ts'

/**
 * PHP's warning about a session that it cannot read shows the save_path with the password. The managed handler's
 * save_path has none.
 */
export const display: Check = {
  id: 'secret.display',
  meaning: "are PHP's warnings hidden from visitors?",
  needs: ['binding.plan', 'php.found'],
  run: (context) => {
    const { planned } = context.plan
    if (planned?.endpoint.password === undefined || planned.handler === 'managed') return undefined
    const web = pageOf(context)
    const setting = settingOf(web, 'display_errors')
    return {
      title: "PHP's warnings are hidden from visitors",
      findings:
        isOn(setting) && setting.value !== 'stderr'
          ? [
              {
                id: 'secret.display',
                level: 'warn',
                title:
                  'display_errors is on: when the store cannot be reached, PHP shows visitors the save_path with the password',
                from: setting.from ?? "PHP's default, as no ini file sets it",
                fix: 'set display_errors = Off in an ini file; with log_errors = On the warnings go to the log',
              },
            ]
          : [],
    }
  },
}

/** Whether the password is in a file that others can read, or in the droplet, where it stays after it was changed. */
export const files: Check = {
  id: 'secret.files',
  meaning: 'is the password hidden from others on this machine?',
  needs: ['binding.plan', 'php.found'],
  run: (context) => {
    if (context.plan.planned?.endpoint.password === undefined) return undefined
    const { exposed, ours } = pageOf(context)
    const isInDroplet = context.platform.id === 'cloudfoundry'
    // A Cloud Foundry container has no other users, and php_buildpack makes the file of php-sessions readable.
    const readable = exposed.filter((file) => !isInDroplet || file !== ours)
    return {
      title: 'others cannot read any ini file with the password',
      findings: readable.map((file) => ({
        id: 'secret.files',
        level: 'warn',
        title: isInDroplet
          ? 'the password is also in a file of the droplet, where it remains after a change'
          : 'every user of this machine can read the password',
        from: file,
        fix: isInDroplet
          ? 'name the service in PHP_SESSIONS_SERVICE and give it a name without redis-sessions and memcached-sessions, which php_buildpack looks for; then cf push'
          : `chmod 600 ${file}`,
      })),
    }
  },
}
