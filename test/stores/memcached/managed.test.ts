import { describe, expect, test } from 'vitest'
import { CANARY } from '../../../lab/bindings.ts'
import type { JsonObject } from '../../../src/core/binding.ts'
import { renderIni } from '../../../src/core/formats/ini.ts'
import { DEFAULT_PHP } from '../../../src/core/php.ts'
import { revealIfSecret, Secret } from '../../../src/core/secret.ts'
import { planFor, valuesOf } from '../../support/plan.ts'

const MANAGED = { PHP_SESSIONS_HANDLER: 'managed' }
const ONE = { servers: 'mc.example:11212' }
const LOGIN = { ...ONE, username: 'app', password: CANARY }
const POOL = { servers: 'mc1.example,mc2.example,mc3.example' }

const plan = (credentials: JsonObject, env: Record<string, string> = MANAGED, php = DEFAULT_PHP) =>
  planFor([{ name: 'app-memcached-sessions', credentials }], env, php)
const store = ({ files }: ReturnType<typeof plan>) =>
  files.find(({ path }) => path === '/run/php-sessions/php-sessions-store.php')?.text ?? ''

test('the managed handler keeps the sessions of one server if it is asked for, and never by itself', () => {
  const handlers = (credentials: JsonObject) =>
    [{}, { PHP_SESSIONS_HANDLER: 'auto' }, { PHP_SESSIONS_HANDLER: 'native' }, MANAGED].map(
      (env) => plan(credentials, env).planned?.handler,
    )
  expect(handlers(ONE)).toEqual(['native', 'native', 'native', 'managed'])
  expect(handlers(LOGIN)).toEqual(['native', 'native', 'native', 'managed'])
  expect(handlers(POOL)).toEqual(['native', 'native', 'native', 'native'])
})

test('a pool keeps the native handler, with its settings, and the reason', () => {
  const { findings, directives } = plan(POOL)
  expect(findings).toMatchSnapshot()
  expect(renderIni(directives)).toBe(renderIni(plan(POOL, {}).directives))
})

test('a PHP that is too old, or an obstacle, keeps the native handler with its login, and the reason', () => {
  const obstacle = { id: 'handler.blocked', level: 'warn', title: 'no', from: 'here', fix: 'mend' } as const
  const old = plan(LOGIN, MANAGED, { ...DEFAULT_PHP, runsManaged: false })
  const blocked = plan(LOGIN, MANAGED, { ...DEFAULT_PHP, obstacles: [obstacle] })
  expect([old, blocked].map(({ findings }) => findings.map(({ id }) => id))).toEqual([
    ['handler.native'],
    ['handler.blocked'],
  ])
  for (const { directives } of [old, blocked])
    expect(renderIni(directives)).toBe(renderIni(plan(LOGIN, {}).directives))
})

describe('with the managed handler', () => {
  test('the ini has the lines of the native handler without the login, and those that install the managed one', () => {
    const native = valuesOf(plan(ONE, {}))
    expect(valuesOf(plan(ONE))).toEqual({
      ...native,
      auto_prepend_file: '/run/php-sessions/php-sessions-handler.php',
      'php_sessions.store': '/run/php-sessions/php-sessions-store.php',
      'session.upload_progress.enabled': 0,
    })
    expect(renderIni(plan(LOGIN).directives)).not.toMatch(/sasl|username|password/i)
  })

  test('the file with the login is secret, and has what the handler needs to know', () => {
    const text = store(plan(LOGIN, { ...MANAGED, PHP_SESSIONS_MAX_WAIT: '7', PHP_SESSIONS_PREFIX: 'shop:' }))
    expect(text).toBeInstanceOf(Secret)
    expect(revealIfSecret(text).toString().replace(CANARY.replace("'", "\\'"), 'CANARY')).toMatchSnapshot()
    expect(revealIfSecret(store(plan(ONE)))).toContain("'user' => null,\n    'password' => null,")
  })
})
