import { expect, test } from 'vitest'
import { startOf } from '../../src/php/ask.ts'
import { findApacheModule, findServingApache } from '../../src/php/web/apache-module.ts'
import { fakeHost } from '../support/host/fake-host.ts'

const DEBIAN = {
  '/etc/apache2/mods-enabled/php8.2.load': '',
  '/etc/php/8.2/apache2/php.ini': '',
}
const CONF_D = '/etc/php/8.2/apache2/conf.d'

test.each([
  [{}, { PHP_INI_SCAN_DIR: CONF_D }],
  [{ PHP_INI_SCAN_DIR: ':/app/ini' }, { PHP_INI_SCAN_DIR: `${CONF_D}:/app/ini` }],
  [{ PHP_INI_SCAN_DIR: '/own' }, { PHP_INI_SCAN_DIR: '/own' }],
  [{ PHP_INI_SCAN_DIR: '' }, {}],
])("Debian's module of Apache has ini files of its own, with %j", (given, env) => {
  const command = ['php8.2', '-c', '/etc/php/8.2/apache2']
  expect(findApacheModule(fakeHost(given, DEBIAN))).toEqual({ command, env, isApache: true })
})

test('in the images of PHP it shares those of the command line', () => {
  const host = fakeHost({}, { '/etc/apache2/mods-enabled/php.load': '' })
  expect(findApacheModule(host)).toEqual({ ...startOf(), isApache: true })
})

test('where a php-fpm runs, that serves the app', () => {
  const host = fakeHost({}, { ...DEBIAN, '/proc/7/cmdline': 'php-fpm: master process (/etc/php-fpm.conf)' })
  expect(findServingApache(host)).toBeUndefined()
})

test('without the module there is none', () => {
  expect(findApacheModule(fakeHost({}, { '/etc/apache2/mods-enabled/rewrite.load': '' }))).toBeUndefined()
})
