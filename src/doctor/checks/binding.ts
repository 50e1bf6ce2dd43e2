import { summariseKept } from '../../homes/kept.ts'
import { describeMove, formatPlace } from '../../plan/report.ts'
import type { Check } from '../check.ts'

/** Reports what the plan made of the binding; its findings have ids of their own (docs/messages.md). */
export const plan: Check = {
  id: 'binding.plan',
  meaning: 'can the bound service be used for sessions?',
  needs: [],
  run: ({ plan, kept, obstructions }) => {
    const { planned, because, findings } = plan
    const title =
      planned === undefined
        ? summariseKept(plan, kept)
        : `${planned.store.title} service ${planned.service} at ${formatPlace(planned)}, because ${because}${describeMove(planned)}`
    return { title, findings: [...obstructions, ...findings] }
  },
}

/** Local files serve one instance only. */
export const instances: Check = {
  id: 'session.instances',
  meaning: 'do all instances of the app share their sessions?',
  needs: ['binding.plan'],
  run: ({ plan: { planned }, host }) => {
    const index = host.env.CF_INSTANCE_INDEX
    if (planned !== undefined || index === undefined) return undefined
    return {
      title: `instance ${index} keeps its sessions in local files`,
      findings:
        index === '0'
          ? []
          : [
              {
                id: 'session.instances',
                level: 'warn',
                title: `sessions are kept in files, and this is instance ${index} of the app: users will be logged out at random`,
                from: `CF_INSTANCE_INDEX=${index}`,
                fix: 'cf bind-service APP SERVICE, where the name of the service contains redis-sessions, then cf restart APP',
              },
            ],
    }
  },
}
