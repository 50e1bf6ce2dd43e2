import { describe, expect, test } from 'vitest'
import { findLoadingLines } from '../../src/core/formats/php-ini.ts'
import { arrangeLines } from '../../src/homes/extensions.ts'

const FILES = ['php.ini', 'early', 'late'] as const
const ALL = ['igbinary', 'msgpack', 'redis', 'memcached']
/** What Debian's are linked to. */
const LINKED: Readonly<Record<string, readonly string[]>> = {
  redis: ['igbinary'],
  memcached: ['igbinary', 'msgpack'],
}

type Line = readonly [file: (typeof FILES)[number], extension: string]

/** Loads extensions as PHP does. `isBound` libraries need what they are linked to when they are loaded, others by the end. */
function load(names: readonly string[], isBoundNow: boolean) {
  const loaded: string[] = []
  let warnings = 0
  for (const [at, name] of names.entries()) {
    const there = isBoundNow ? names.slice(0, at) : names
    const works = (LINKED[name] ?? []).every((required) => there.includes(required))
    if (loaded.includes(name) || !works) warnings++
    else loaded.push(name)
  }
  return { loaded, warnings }
}

/** The lines of an app that loads each extension there; `twice` is in php.ini and late. */
function* layouts(): Generator<readonly Line[]> {
  const places = [['php.ini'], ['early'], ['late'], [], ['php.ini', 'late']] as const
  for (let number = 0; number < places.length ** ALL.length; number++)
    for (const order of [ALL, ALL.toReversed()])
      yield order.flatMap((name) => {
        const place = places[Math.floor(number / places.length ** ALL.indexOf(name)) % places.length] ?? []
        return place.map((file) => [file, name] as const)
      })
}

const asFiles = (lines: readonly Line[]) =>
  FILES.map((path) => ({
    path,
    bytes: lines.flatMap(([file, name]) => (file === path ? [`extension=${name}.so\n`] : [])).join(''),
  }))

const LIBRARIES = {
  has: () => true,
  isLinked: (extension: string, to: string) => LINKED[extension]?.includes(to) === true,
}

describe.each(['redis', 'memcached', undefined] as const)('with %s bound', (bound) => {
  test.each([
    ['when they are loaded', true],
    ['by the end', false],
  ])('every extension whose library needs others is loaded once %s', (_, isBoundNow) => {
    for (const lines of layouts()) {
      const { files, last } = arrangeLines(asFiles(lines), bound, LIBRARIES)
      const names = files.flatMap(({ bytes }) =>
        findLoadingLines(bytes, ALL).map(({ extension }) => extension),
      )
      const wanted = lines.map(([, name]) => name)
      const { loaded, warnings } = load([...names, ...last], isBoundNow)
      const needed = bound === undefined ? [] : ['igbinary', 'msgpack', bound]
      const required = wanted.flatMap((name) => LINKED[name] ?? [])
      expect({ lines, warnings, loaded: loaded.toSorted() }).toEqual({
        lines,
        warnings: 0,
        loaded: [...new Set([...wanted, ...needed, ...required])].toSorted(),
      })
    }
  })

  test('igbinary and msgpack stay where they are loaded, and so does what works there', () => {
    for (const lines of layouts()) {
      const names = lines.map(([, name]) => name)
      const given = asFiles(lines)
      const { files, last } = arrangeLines(given, bound, LIBRARIES)
      for (const name of ['igbinary', 'msgpack'])
        expect(names.includes(name) && last.includes(name)).toBe(false)
      const read = given.flatMap(({ bytes }) =>
        findLoadingLines(bytes, ALL).map(({ extension }) => extension),
      )
      const { warnings } = load(read, true)
      if (warnings === 0) expect(files).toEqual(given)
    }
  })

  test('a second start finds the state of the first, and an unbound one the original', () => {
    for (const lines of layouts()) {
      const given = asFiles(lines)
      const first = arrangeLines(given, bound, LIBRARIES)
      expect(arrangeLines(first.files, bound, LIBRARIES)).toEqual(first)
      expect(arrangeLines(first.files, undefined, LIBRARIES)).toEqual(
        arrangeLines(given, undefined, LIBRARIES),
      )
    }
  })
})

test('an extension that is not installed is neither moved nor loaded', () => {
  const given = asFiles([['php.ini', 'redis']])
  const libraries = { ...LIBRARIES, has: (name: string) => name !== 'redis' }
  expect(arrangeLines(given, undefined, libraries)).toEqual({ files: given, last: [] })
})
