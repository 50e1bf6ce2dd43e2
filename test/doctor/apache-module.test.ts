import { expect, test } from 'vitest'
import { findApacheModule } from '../../src/php/web/apache-module.ts'
import { fakeHost } from '../support/host/fake-host.ts'

const DEBIAN = {
  '/etc/apache2/mods-enabled/php8.2.load': '',
  '/etc/php/8.2/apache2/php.ini': '',
}

test("Debian's module of Apache has ini files of its own", () => {
  expect(findApacheModule(fakeHost({}, DEBIAN))).toEqual({
    command: ['php8.2', '-c', '/etc/php/8.2/apache2'],
    directory: '/etc/php/8.2/apache2',
  })
})

test('in the images of PHP it shares those of the command line', () => {
  const host = fakeHost({}, { '/etc/apache2/mods-enabled/php.load': '' })
  expect(findApacheModule(host)).toEqual({ command: ['php'], directory: undefined })
})

test('where a php-fpm runs, that serves the app', () => {
  const host = fakeHost({}, { ...DEBIAN, '/proc/7/cmdline': 'php-fpm: master process (/etc/php-fpm.conf)' })
  expect(findApacheModule(host)).toBeUndefined()
})

test('without the module there is none', () => {
  expect(findApacheModule(fakeHost({}, { '/etc/apache2/mods-enabled/rewrite.load': '' }))).toBeUndefined()
})
