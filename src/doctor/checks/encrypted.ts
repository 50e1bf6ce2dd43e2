import { isEncrypting } from '../../core/encryption.ts'
import type { Check } from '../check.ts'
import { pageOf } from '../page.ts'
import { writeAgain } from './effective-settings.ts'

/** Whether the store has neither the id nor the data of a session, where sessions are to be encrypted. */
export const encrypted: Check = {
  id: 'session.encrypted',
  meaning: 'is a session encrypted in the store?',
  needs: ['session.roundtrip'],
  run: (context) => {
    const { encryption } = context.plan.planned?.endpoint ?? {}
    if (encryption === undefined || !isEncrypting(encryption)) return undefined
    const { stored } = context.ask('session')
    const isSealed = stored?.isThere === true && !stored.isNamed && !stored.isClear
    const web = pageOf(context)
    return {
      title: 'the store has neither the id nor the data of a session in clear',
      findings: isSealed
        ? []
        : [
            {
              id: 'session.clear',
              level: 'error',
              title: 'the store has a session in clear, although sessions are to be encrypted',
              from: web.ours ?? encryption.from,
              fix: writeAgain(context, web),
            },
          ],
    }
  },
}
