import type { Finding } from '../../core/finding.ts'
import type { SessionAnswer } from '../../php/answers.ts'
import { KILLED, limitSecondsOf } from '../../php/ask.ts'
import { isOn, secondsOf, settingOf, webOf } from '../../php/web.ts'
import type { StoreName } from '../../stores/store.ts'
import type { Check, Context } from '../check.ts'
import { isPoolIncomplete } from './network.ts'

const STORE_CHECKS = ['auth.login', 'redis.commands']

/** A session begun by one process of the target PHP and read by another, by the settings that PHP really has. */
export const roundtrip: Check = {
  id: 'session.roundtrip',
  meaning: 'does a session that one process writes reach another?',
  needs: ['php.effective', ...STORE_CHECKS],
  run: (context) => {
    if (isPoolIncomplete(context)) return undefined
    const answer = context.ask('session')
    const title = `a session was written, and read by a second process (${answer.handler})`
    return { title, findings: answer.step === 'done' ? [] : [findBroken(context, answer)] }
  },
}

/** What each step of the round trip means when it is the last. */
const BROKEN: Readonly<Record<Exclude<SessionAnswer['step'], 'done'>, string>> = {
  start: 'PHP cannot begin a session',
  write: 'PHP cannot write a session',
  read: 'PHP does not find the session that it has written',
  second: 'a second process does not find the session that the first has written',
}

function findBroken(context: Context, answer: Partial<SessionAnswer>): Finding {
  const { step = 'start', error, said = [], second, exitStatus = 0 } = answer
  const end =
    exitStatus === KILLED
      ? `it took more than ${limitSecondsOf('session')} seconds`
      : exitStatus === 0
        ? undefined
        : `PHP ended with exit status ${exitStatus}`
  const words = [error, ...said, second?.error, ...(second?.said ?? []), end].filter(
    (word) => word !== undefined,
  )
  const web = webOf(context.ask('settings'))
  return {
    id: 'session.broken',
    level: 'error',
    title: `${BROKEN[step === 'done' ? 'start' : step]}: ${words.slice(0, 2).join('; ') || 'without a word'}`,
    from: `${web.name}, session.save_handler ${answer.handler}`,
    fix: 'look for these words in docs/doctor.md; php-sessions doctor --debug shows all that PHP said',
  }
}

/** Whether requests of one visitor take turns. */
export const lock: Check = {
  id: 'session.lock',
  meaning: 'do two requests of one visitor take turns?',
  needs: ['session.roundtrip'],
  run: (context) => {
    if (isPoolIncomplete(context)) return undefined
    const { isLocked, isKept, handler } = context.ask('session')
    const isWanted = context.options.PHP_SESSIONS_LOCKING && handler !== 'rediscluster'
    if (!isWanted) return undefined
    return {
      title: 'a second request waits until the first is done',
      findings: isLocked === true && isKept === true ? [] : [findUnlocked(context, isLocked === true)],
    }
  },
}

function findUnlocked(context: Context, isLocked: boolean): Finding {
  const web = webOf(context.ask('settings'))
  const { handler = '' } = context.ask('session')
  const name = lockSettingOf(handler)
  const setting = name === undefined ? undefined : settingOf(web, name)
  const isOff = setting !== undefined && !isOn(setting)
  return {
    id: 'session.unlocked',
    level: 'warn',
    title: isLocked
      ? 'a second request waits, and one of both loses what it wrote'
      : `a second request does not wait for the first${isOff ? `, as ${name} is off` : ''}: parallel requests of one visitor overwrite each other`,
    from: setting?.from ?? name ?? `the ${handler} handler`,
    fix: isOff
      ? 'remove that line; if it is meant so, PHP_SESSIONS_LOCKING=off says that you know'
      : 'php-sessions doctor --debug shows what both processes said',
  }
}

/** By which setting PHP's own handler of a store locks a session. */
const LOCK_SETTINGS: Readonly<Record<StoreName, string>> = {
  redis: 'redis.session.locking_enabled',
  memcached: 'memcached.sess_locking',
}

/** The setting by which a handler locks; undefined for the managed one and for files, which need none. */
function lockSettingOf(handler: string): string | undefined {
  return Object.entries(LOCK_SETTINGS).find(([store]) => handler.startsWith(store))?.[1]
}

/** Whether the browser forgets the session before the store does. */
export const lifetime: Check = {
  id: 'session.lifetime',
  meaning: 'does a session live as long as its cookie?',
  needs: ['php.effective'],
  run: (context) => {
    const web = webOf(context.ask('settings'))
    const [kept, cookie] = ['session.gc_maxlifetime', 'session.cookie_lifetime'].map((name) =>
      settingOf(web, name),
    )
    const [seconds, cookieSeconds] = [kept, cookie].map((setting) =>
      setting === undefined ? 0 : secondsOf(setting),
    )
    const wanted = context.options.PHP_SESSIONS_LIFETIME
    const title = `a session lives ${seconds} seconds after its last use`
    if (context.plan.planned !== undefined && wanted !== undefined && wanted !== seconds)
      return {
        title,
        findings: [
          {
            id: 'session.lifetime',
            level: 'warn',
            title: `sessions live ${seconds} seconds, not the ${wanted} of PHP_SESSIONS_LIFETIME`,
            from: kept?.from ?? 'session.gc_maxlifetime',
            fix: 'remove session.gc_maxlifetime there, or PHP_SESSIONS_LIFETIME',
          },
        ],
      }
    if (cookieSeconds === undefined || seconds === undefined || cookieSeconds <= seconds)
      return { title, findings: [] }
    return {
      title,
      findings: [
        {
          id: 'session.lifetime',
          level: 'warn',
          title: `the cookie lives ${cookieSeconds} seconds and the session ${seconds}: users who come back in between are logged out`,
          from: cookie?.from ?? 'session.cookie_lifetime',
          fix: `set PHP_SESSIONS_LIFETIME=${cookieSeconds}, then ${context.advice.isManual ? 'write the settings anew' : 'restart the app'}`,
        },
      ],
    }
  },
}

/** The name of the cookie, by which Cloud Foundry's router decides whether a visitor stays with one instance. */
export const cookie: Check = {
  id: 'session.cookie',
  meaning: 'may any instance serve any visitor?',
  needs: ['php.effective'],
  run: (context) => {
    if (context.platform.id !== 'cloudfoundry') return undefined
    const name = settingOf(webOf(context.ask('settings')), 'session.name')
    const isSticky = name.value === 'JSESSIONID'
    const isRemote = context.plan.planned !== undefined
    return {
      title: `the cookie is ${name.value}: the router ${isSticky ? 'keeps a visitor on one instance' : 'takes any instance'}`,
      findings:
        isSticky && isRemote
          ? [
              {
                id: 'session.sticky',
                level: 'warn',
                title:
                  'the cookie is JSESSIONID, so the router keeps each visitor on one instance for no reason',
                from: name.from ?? 'session.name',
                fix: 'remove session.name there, so that it is PHPSESSIONID',
              },
            ]
          : [],
    }
  },
}

/** A session begun before the app's first line takes no settings from it any more. */
export const autoStart: Check = {
  id: 'session.auto-start',
  meaning: 'does the app begin its sessions itself?',
  needs: ['php.found'],
  run: (context) => {
    const setting = settingOf(webOf(context.ask('settings')), 'session.auto_start')
    return {
      title: 'the app begins its sessions itself',
      findings: isOn(setting)
        ? [
            {
              id: 'session.auto-start',
              level: 'warn',
              title:
                'session.auto_start is on: every request and every script on the command line begins a session and waits for its lock, and what the app sets for sessions comes too late',
              from: setting.from ?? 'session.auto_start',
              fix: 'remove that line, and call session_start() where a session is needed',
            },
          ]
        : [],
    }
  },
}
