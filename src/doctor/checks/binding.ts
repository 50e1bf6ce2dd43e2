import { formatPlace } from '../../plan/report.ts'
import type { Check } from '../check.ts'

/** What the plan says of the binding; its findings have ids of their own (docs/findings.md). */
export const plan: Check = {
  id: 'binding.plan',
  meaning: 'can what is bound be used?',
  needs: [],
  run: ({ plan: { planned, because, findings } }) => ({
    title:
      planned === undefined
        ? `sessions stay in local files, because ${because}`
        : `${planned.store.title} service ${planned.service} at ${formatPlace(planned)}, because ${because}`,
    findings,
  }),
}

/** Local files serve one instance only. */
export const instances: Check = {
  id: 'session.instances',
  meaning: 'do all instances of the app see the same sessions?',
  needs: ['binding.plan'],
  run: ({ plan: { planned }, host }) => {
    const index = host.env.CF_INSTANCE_INDEX
    if (planned !== undefined || index === undefined) return undefined
    return {
      title: `instance ${index} keeps sessions for itself`,
      findings:
        index === '0'
          ? []
          : [
              {
                id: 'session.instances',
                level: 'warn',
                title: `sessions are kept in files, and this is instance ${index} of the app: users will be logged out at random`,
                from: `CF_INSTANCE_INDEX=${index}`,
                fix: 'cf bind-service APP a service whose name contains redis-sessions, then cf restart APP',
              },
            ],
    }
  },
}
