import { expect, test } from 'vitest'
import { findHandlerClass, findPageSettings } from '../../src/php/web/page-settings.ts'
import { fakeHost } from '../support/host/fake-host.ts'

const INI = 'session.save_handler = files\n'
const CLASS = '<?php\nclass Own extends SessionHandler {}\n'

test.each([
  ['/', '/var/www/html', true],
  ['/', '/srv/app/public', true],
  ['/', '/usr/share/doc', false],
  ['/', '', true],
  ['/usr', '/usr/share/doc', true],
])('an app in %s has files in %j: %s', (app, directory, isFound) => {
  const host = fakeHost({}, { [`${directory}/.user.ini`]: INI, [`${directory}/own.php`]: CLASS })
  expect(findPageSettings(host, app, ['session.save_handler'])).toHaveLength(isFound ? 1 : 0)
  if (directory !== '') expect(findHandlerClass(host, app) !== undefined).toBe(isFound)
})
