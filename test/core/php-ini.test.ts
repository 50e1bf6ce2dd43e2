import { expect, test } from 'vitest'
import {
  findLoadingLines,
  readIniSetting,
  readIniSettings,
  restoreLines,
  setLinesAside,
} from '../../src/core/formats/php-ini.ts'

const INI = `; extension=redis
extension_dir = "/x/ext"
max_execution_time = 30 ; seconds
 extension = "igbinary.so"
extension=/x/ext/redis.so\r
zend_extension=opcache
max_execution_time=120
[x]
extension=memcached
Extension = 'msgpack'`

test('the last value of a setting counts, without quotes and comments', () => {
  expect(readIniSetting(INI, 'max_execution_time')).toBe('120')
  expect(readIniSetting(INI, 'extension_dir')).toBe('/x/ext')
  expect(readIniSetting(INI, 'max.execution_time')).toBeUndefined()
})

test('a line that loads an extension is found in every form that PHP accepts', () => {
  const found = findLoadingLines(INI, ['redis', 'memcached', 'igbinary', 'opcache', 'msgpack'])
  expect(found.map(({ extension, start }) => [extension, INI.slice(start).split('\n')[0]])).toEqual([
    ['igbinary', ' extension = "igbinary.so"'],
    ['redis', 'extension=/x/ext/redis.so\r'],
    ['memcached', 'extension=memcached'],
    ['msgpack', "Extension = 'msgpack'"],
  ])
})

test('lines that are set aside can be restored', () => {
  const starts = findLoadingLines(INI, ['igbinary', 'redis']).map(({ start }) => start)
  const aside = setLinesAside(INI, starts)
  expect(
    findLoadingLines(aside, ['igbinary', 'redis', 'memcached']).map(({ extension }) => extension),
  ).toEqual(['memcached'])
  expect(restoreLines(aside)).toBe(INI)
})

test('a setting is found with its line, whatever is before, between and behind comments', () => {
  const lines = [';c', '', 'a=1', ';', ' ;c', '\ta = 2', 'b=3;c', '; a=9', '', ';c']
  for (const ini of [lines.join('\n'), `${lines.join('\n')}\n`, `${lines.slice(2).join('\n')}\n`]) {
    const before = ini.startsWith(';c') ? 2 : 0
    expect(readIniSettings(ini, ['b', 'a', 'c'])).toEqual([
      { name: 'b', value: '3', line: before + 5 },
      { name: 'a', value: '2', line: before + 4 },
    ])
  }
  expect(readIniSettings('', ['a'])).toEqual([])
  expect(readIniSettings('a=1', ['a'])).toEqual([{ name: 'a', value: '1', line: 1 }])
})
