import { expect, test } from 'vitest'
import {
  findLoadingLines,
  readIniSetting,
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
