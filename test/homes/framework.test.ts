import { expect, test } from 'vitest'
import { redisService, SESSION_KEY } from '../../lab/bindings.ts'
import { readOptions } from '../../src/core/options.ts'
import { planFramework, summariseApp } from '../../src/homes/framework.ts'
import { APPS, LOSING } from '../frameworks/apps.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { planFor } from '../support/plan.ts'

const plan = planFor([redisService])
const { options } = readOptions({ env: {}, file: { value: {}, from: '' } })

/** The framework of an app with these files, and the last line of a start and of explain. */
const lineFor = (files: Readonly<Record<string, string>>, setsVariables = false) => {
  const given = Object.entries(files).map(([path, text]) => [`/app/${path}`, text])
  const host = fakeHost({}, Object.fromEntries(given))
  const framework = planFramework(host, '/app', plan, options, setsVariables)
  return { framework, line: summariseApp(plan, framework, []) }
}

const ALL = [...APPS.flatMap(([id, , ...apps]) => apps.map((app) => [id, app] as const)), ...LOSING]

test.each(ALL)('%s: the last line says "kept in Redis" only if PHP keeps the sessions', (_name, files) => {
  const { framework, line } = lineFor(files)
  const verdict = framework.recognised?.verdict ?? 'php'
  expect([verdict, line.startsWith('sessions are kept in Redis')]).toEqual([
    verdict,
    verdict === 'php' || verdict === 'none',
  ])
})

test('the last line', () => {
  const line = (name: string) => lineFor(ALL.find(([id]) => id === name)?.[1] ?? {}).line
  expect(['codeigniter4', 'codeigniter3', 'opencart', 'laravel', 'no such app'].map(line)).toMatchSnapshot()
})

test('with the variables of a start the app uses the bound service', () => {
  const laravel = ALL.find(([id]) => id === 'laravel')?.[1] ?? {}
  expect(lineFor(laravel, true).line).toContain('sessions are kept in Redis')
})

test.each(ALL)('%s: a key that the framework does not use is named, and no other', (_name, files) => {
  const sealed = planFor([redisService], { PHP_SESSIONS_ENCRYPTION_KEY: SESSION_KEY })
  const given = Object.entries(files).map(([path, text]) => [`/app/${path}`, text])
  const host = fakeHost({}, Object.fromEntries(given))
  for (const setsVariables of [true, false]) {
    const { recognised, findings } = planFramework(host, '/app', sealed, options, setsVariables)
    const verdict = recognised?.verdict ?? 'php'
    expect([verdict, findings.some(({ id }) => id === 'encryption.framework')]).toEqual([
      verdict,
      !['php', 'none'].includes(verdict),
    ])
  }
})
