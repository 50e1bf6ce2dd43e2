import type { StoreName } from '../../core/endpoint.ts'
import { KILLED } from '../../core/exit-status.ts'
import type { Finding } from '../../core/finding.ts'
import type { SessionAnswer } from '../../php/answers.ts'
import { limitSecondsOf } from '../../php/ask.ts'
import { isOn, secondsOf, settingOf } from '../../php/web/web.ts'
import type { Check, Context } from '../check.ts'
import { pageOf } from '../page.ts'
import { isPoolIncomplete } from './servers/network.ts'

const STORE_CHECKS = ['auth.login', 'redis.commands', 'memcached.commands']

/** Has the app's PHP start a session in one process and read it in another, with the settings that PHP really has. */
export const roundtrip: Check = {
  id: 'session.roundtrip',
  meaning: 'can one process read a session that another wrote?',
  needs: ['php.effective', ...STORE_CHECKS, 'previous.store'],
  run: (context) => {
    if (isPoolIncomplete(context)) return undefined
    const answer = context.ask('session')
    const title = `a session was written, and read by a second process (${answer.handler})`
    return { title, findings: answer.step === 'done' ? [] : [findBroken(context, answer)] }
  },
}

/** The failure that each step of the round trip stands for when it is the last. */
const BROKEN: Readonly<Record<Exclude<SessionAnswer['step'], 'done'>, string>> = {
  start: 'PHP cannot start a session',
  write: 'PHP cannot write a session',
  read: 'PHP does not find the session that it wrote',
  second: 'a second process does not find the session that the first one wrote',
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
    (word) => word !== undefined && word !== '',
  )
  const web = pageOf(context)
  return {
    id: 'session.broken',
    level: 'error',
    title: `${BROKEN[step === 'done' ? 'start' : step]}: ${context.quote(words.slice(0, 2).join('; ')) || 'PHP gives no reason'}`,
    from: `${web.name}, session.save_handler ${answer.handler}`,
    fix: 'run php-sessions doctor --debug session.roundtrip: it shows everything that PHP said; the log of the server may have the rest',
  }
}

/** Whether requests from one visitor take turns. */
export const lock: Check = {
  id: 'session.lock',
  meaning: 'do two requests from one visitor take turns?',
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
  const web = pageOf(context)
  const { handler = '' } = context.ask('session')
  const name = lockSettingOf(handler)
  const setting = name === undefined ? undefined : settingOf(web, name)
  const isOff = setting !== undefined && !isOn(setting)
  return {
    id: 'session.unlocked',
    level: 'warn',
    title: isLocked
      ? 'a second request waits for the first, but what one of them writes is lost'
      : `a second request does not wait for the first${isOff ? `, because ${name} is off` : ''}: parallel requests from one visitor overwrite each other`,
    from: setting?.from ?? name ?? `the ${handler} handler`,
    fix: isOff
      ? 'remove that line; PHP_SESSIONS_LOCKING=off accepts this and silences the warning'
      : 'run php-sessions doctor --debug to see what both processes said',
  }
}

/** The setting that makes PHP's own handler for a store lock each session. */
const LOCK_SETTINGS: Readonly<Record<StoreName, string>> = {
  redis: 'redis.session.locking_enabled',
  memcached: 'memcached.sess_locking',
}

/** The setting that makes a handler lock; undefined for those that need none, such as `managed` and `files`. */
function lockSettingOf(handler: string): string | undefined {
  return Object.entries(LOCK_SETTINGS).find(([store]) => handler.startsWith(store))?.[1]
}

/** Whether the browser keeps its cookie longer than the store keeps the session. */
export const lifetime: Check = {
  id: 'session.lifetime',
  meaning: 'does a session live as long as its cookie?',
  needs: ['php.effective'],
  run: (context) => {
    const web = pageOf(context)
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
            title: `sessions live ${seconds} seconds, but PHP_SESSIONS_LIFETIME is ${wanted}`,
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
          title: `the cookie lives ${cookieSeconds} seconds but the session only ${seconds}: users who return in between are logged out`,
          from: cookie?.from ?? 'session.cookie_lifetime',
          fix: `set PHP_SESSIONS_LIFETIME=${cookieSeconds}, then ${context.advice.isManual ? 'write the settings again' : 'restart the app'}`,
        },
      ],
    }
  },
}

/** Cloud Foundry's router decides by the name of the cookie whether a visitor stays on one instance. */
export const cookie: Check = {
  id: 'session.cookie',
  meaning: 'can any instance serve any visitor?',
  needs: ['php.effective'],
  run: (context) => {
    if (context.platform.id !== 'cloudfoundry') return undefined
    const name = settingOf(pageOf(context), 'session.name')
    const isSticky = name.value === 'JSESSIONID'
    const isRemote = context.plan.planned !== undefined
    return {
      title: `the cookie is ${name.value}: the router ${isSticky ? 'keeps each visitor on one instance' : 'may choose any instance'}`,
      findings:
        isSticky && isRemote
          ? [
              {
                id: 'session.sticky',
                level: 'warn',
                title:
                  'the cookie is JSESSIONID, so the router needlessly keeps each visitor on one instance',
                from: name.from ?? 'session.name',
                fix: 'remove session.name there; the cookie is then PHPSESSIONID',
              },
            ]
          : [],
    }
  },
}

/** The app can no longer configure a session that PHP starts before its first line. */
export const autoStart: Check = {
  id: 'session.auto-start',
  meaning: 'does the app start its sessions itself?',
  needs: ['php.found'],
  run: (context) => {
    const setting = settingOf(pageOf(context), 'session.auto_start')
    return {
      title: 'the app starts its sessions itself',
      findings: isOn(setting)
        ? [
            {
              id: 'session.auto-start',
              level: 'warn',
              title:
                'session.auto_start is on: every page and every command-line script starts a session and waits for its lock, before the app can set anything for sessions',
              from: setting.from ?? 'session.auto_start',
              fix: 'remove that line, and call session_start() where a session is needed',
            },
          ]
        : [],
    }
  },
}
