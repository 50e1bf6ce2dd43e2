import { isOn, settingOf, webOf } from '../../php/web.ts'
import type { Check } from '../check.ts'

/** PHP's warning about a session that cannot be read shows the save_path, and the password in it. */
export const display: Check = {
  id: 'secret.display',
  meaning: "do visitors see PHP's warnings?",
  needs: ['binding.plan', 'php.found'],
  run: (context) => {
    if (context.plan.planned?.endpoint.password === undefined) return undefined
    const web = webOf(context.ask('settings'))
    const setting = settingOf(web, 'display_errors')
    return {
      title: "PHP's warnings are not shown to visitors",
      findings:
        isOn(setting) && setting.value !== 'stderr'
          ? [
              {
                id: 'secret.display',
                level: 'warn',
                title:
                  'display_errors is on: when the store is away PHP shows the save_path, with the password, to visitors',
                from: setting.from ?? "PHP's default, as no ini file says it",
                fix: 'write display_errors = Off in an ini file; log_errors = On keeps the warnings',
              },
            ]
          : [],
    }
  },
}

/** A password in a file that others can read, or in the droplet, where it stays when it is changed. */
export const files: Check = {
  id: 'secret.files',
  meaning: 'can others on this machine read the password?',
  needs: ['binding.plan', 'php.found'],
  run: (context) => {
    if (context.plan.planned?.endpoint.password === undefined) return undefined
    const { exposed, ours } = webOf(context.ask('settings'))
    const isInDroplet = context.platform.id === 'cloudfoundry'
    // In a container of Cloud Foundry nobody else is there, and php_buildpack makes our file readable.
    const readable = exposed.filter((file) => !isInDroplet || file !== ours)
    return {
      title: 'no ini file with the password can be read by others',
      findings: readable.map((file) => ({
        id: 'secret.files',
        level: 'warn',
        title: isInDroplet
          ? 'the password is in a file of the droplet, too, where it stays when it is changed'
          : 'every user of this machine can read the password',
        from: file,
        fix: isInDroplet
          ? 'see docs/cloudfoundry.md about the session support of php_buildpack'
          : `chmod 600 ${file}`,
      })),
    }
  },
}
