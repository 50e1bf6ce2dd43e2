import { expect, test } from 'vitest'
import { loadsExtension, readIniSetting, setAsideExtensions } from '../../src/core/php-ini.ts'

const INI = `; extension=redis
extension_dir = "/x/ext"
max_execution_time = 30 ; seconds
 extension = "igbinary.so"
extension=/x/ext/redis.so\r
zend_extension=opcache
max_execution_time=120
[x]
extension=memcached`

test('the last value of a setting counts, without quotes and comments', () => {
  expect(readIniSetting(INI, 'max_execution_time')).toBe('120')
  expect(readIniSetting(INI, 'extension_dir')).toBe('/x/ext')
  expect(readIniSetting(INI, 'max.execution_time')).toBeUndefined()
})

test('an extension is found in every form that PHP accepts', () => {
  expect(
    ['igbinary', 'redis', 'memcached', 'opcache', 'msgpack'].map((name) => loadsExtension(INI, name)),
  ).toEqual([true, true, true, false, false])
})

test('lines that are set aside can be restored, and setting them aside twice changes nothing', () => {
  const aside = setAsideExtensions(INI, ['igbinary', 'msgpack', 'redis'])
  expect(['igbinary', 'redis', 'memcached'].map((name) => loadsExtension(aside, name))).toEqual([
    false,
    false,
    true,
  ])
  expect(setAsideExtensions(aside, ['igbinary', 'msgpack', 'redis'])).toBe(aside)
  expect(setAsideExtensions(aside, [])).toBe(INI)
})
