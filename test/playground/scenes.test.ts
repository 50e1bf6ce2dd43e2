import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeScratch } from '../../lab/processes/scratch.ts'
import type { Click } from '../../playground/engine/events.ts'
import { findMissing, whyNotIn } from '../../playground/machine.ts'
import { play } from '../../playground/main.ts'
import { judge } from '../../playground/scenes/measures.ts'
import { SCENES } from '../../playground/scenes/scenes.ts'
import { whyNoStore } from '../../playground/stores/start.ts'
import { renderList } from '../../playground/terminal.ts'

const ROOT = join(import.meta.dirname, '../..')

test('every scene has a name of its own, a lane of php-sessions, and a page with that heading', () => {
  expect(new Set(SCENES.map(({ id }) => id)).size).toBe(SCENES.length)
  for (const { id, lanes, page } of SCENES) {
    expect(lanes.length, id).toBeLessThanOrEqual(4)
    expect(
      lanes.some(({ way }) => way === 'native' || way === 'managed'),
      id,
    ).toBe(true)
    expect(
      lanes.every(({ promises }) => promises.length > 0),
      id,
    ).toBe(true)
    const [file = '', heading] = page.split('#')
    expect(existsSync(join(ROOT, file)), page).toBe(true)
    const anchors = readFileSync(join(ROOT, file), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('#'))
      .map((line) =>
        line
          .replace(/^#+ /, '')
          .toLowerCase()
          .replace(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      )
    if (heading !== undefined) expect(anchors, page).toContain(heading)
  }
})

test('the list of scenes', () => {
  expect(renderList()).toMatchSnapshot()
})

const click = (visitor: string, outcome: Click['outcome'], milliseconds: number, status = 200): Click => ({
  visitor,
  action: 'visit',
  outcome,
  milliseconds,
  status,
})

const seen = (clicks: readonly Click[], loggedOut = 0, lost = 0) => ({
  clicks,
  ledgers: [{ acknowledged: 9, lost, loggedOut }],
  locks: [],
})

test('what was seen is compared with what was promised', () => {
  expect(judge({ measure: 'loggedOut', is: 'none' }, seen([], 2))).toEqual({
    promised: 'never logged out',
    seen: 'logged out twice',
    isKept: false,
  })
  expect(judge({ measure: 'loggedOut', is: 'some' }, seen([], 2)).isKept).toBe(true)
  expect(judge({ measure: 'loggedOut', is: 'some' }, seen([])).isKept).toBe(false)
  expect(judge({ measure: 'lostUpdates', is: 'none' }, seen([], 0, 1))).toMatchObject({
    seen: '1 of 9 updates lost',
    isKept: false,
  })
  expect(judge({ measure: 'lostUpdates', is: 'none' }, seen([])).isKept).toBe(true)
  const clicks = [click('Ada', 'known', 100), click('Ada', 'refused', 3000, 503), click('Bob', 'known', 9000)]
  expect(judge({ measure: 'refused', is: 'some' }, seen(clicks))).toMatchObject({
    seen: '1 with status 503',
    isKept: true,
  })
  expect(judge({ measure: 'refused', is: 'some' }, seen([])).isKept).toBe(false)
  expect(judge({ measure: 'slowest', is: 'below', seconds: 4 }, seen(clicks))).toMatchObject({
    seen: '3.0 s',
    isKept: true,
  })
  expect(judge({ measure: 'slowestOfOthers', is: 'below', seconds: 4 }, seen(clicks)).isKept).toBe(false)
  expect(judge({ measure: 'known at the end', is: 'yes' }, seen(clicks)).isKept).toBe(false)
  expect(judge({ measure: 'known at the end', is: 'yes' }, seen(clicks.slice(0, 1))).isKept).toBe(true)
})

test('what the machine lacks is named with the package that brings it', () => {
  const missing = findMissing('/nowhere', '/nowhere')
  expect(missing).toContain('the program php-fpm is missing: package php-fpm')
  expect(missing).toContain('the PHP extension redis is missing: package php-redis')
  expect(missing.at(-1)).toMatch(
    /^on Debian or Ubuntu: apt-get install bash perl php-cli php-fpm php-redis .* sasl2-bin libsasl2-modules$/,
  )
  expect(findMissing()).toEqual([])
})

test('where one program is missing, only its package is named', () => {
  const bin = makeScratch('bin')
  const directories = [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin']
  const programs = directories
    .filter(existsSync)
    .flatMap((directory) => readdirSync(directory).map((name) => [name, join(directory, name)] as const))
  for (const [name, path] of new Map(programs)) if (name !== 'redis-cli') symlinkSync(path, join(bin, name))
  expect(findMissing(bin, bin)).toEqual([
    'the program redis-cli is missing: package redis-tools',
    'on Debian or Ubuntu: apt-get install redis-tools',
  ])
})

test('a temporary directory in which instances cannot start is refused', () => {
  expect(whyNotIn('/tmp')).toBeUndefined()
  expect(whyNotIn('/var/folders/a b')).toContain('has blanks or special characters in its path')
  expect(whyNotIn(`/tmp/${'x'.repeat(80)}`)).toContain('has too long a path: set TMPDIR to another one')
})

test('a store that cannot start here is refused before anything starts', () => {
  expect(whyNoStore('redis', undefined)).toBeUndefined()
  expect(whyNoStore('given', '{}')).toBeUndefined()
  expect(whyNoStore('given', undefined)).toContain('needs VCAP_SERVICES in the environment')
})

test('a scene, a directory or a page that is not there is wrong usage', async () => {
  const refused = await said(async () => [
    await play([], { scenario: 'crush' }),
    await play(['/nowhere'], {}),
    await play([join(ROOT, 'docs/internals')], {}),
    await play([], { headless: '', lanes: 'files' }),
    await play([], { port: '99999' }),
  ])
  expect(refused.result).toEqual([2, 2, 2, 2, 2])
  expect(refused.text).toContain('--lanes is for the page: leave out --headless or --lanes')
  expect(refused.text).toContain('there is no port 99999: expected 1 to 65535')
  expect(refused.text).toContain('there is no scene crush; did you mean crash?')
  expect(refused.text).toContain('there is no directory /nowhere')
  expect(refused.text).toContain('there is no page of PHP in ')
})

/** Runs something, and gives what it has written to stderr. */
async function said<Result>(run: () => Promise<Result>): Promise<{ result: Result; text: string }> {
  const { write } = process.stderr
  let text = ''
  process.stderr.write = (chunk: string | Uint8Array) => {
    text += chunk
    return true
  }
  try {
    return { result: await run(), text }
  } finally {
    process.stderr.write = write
  }
}
