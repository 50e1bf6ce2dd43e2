import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type App, makeWith, PASSWORD, scriptsBelow, USER } from './app.ts'

const AUTHSOURCES = `<?php
$config = ['users' => ['exampleauth:UserPass', '${USER}:${PASSWORD}' => ['uid' => ['${USER}']]]];
`

const config = (directory: string) => `<?php
$config = [
  'baseurlpath' => '/',
  'secretsalt' => 'salt',
  'auth.adminpassword' => '${PASSWORD}',
  'technicalcontact_email' => 'nobody@example.org',
  'timezone' => 'UTC',
  'logging.handler' => 'errorlog',
  'logging.level' => SimpleSAML\\Logger::ERR,
  'tempdir' => '${directory}/tmp',
  'metadatadir' => '${directory}/metadata',
  'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => false],
  'session.cookie.secure' => false,
  'session.cookie.samesite' => 'Lax',
  'language.cookie.secure' => false,
  'language.cookie.samesite' => 'Lax',
];
`

const STATUS = '/module.php/core/authenticate.php?as=users'

/** Writes what it knows about a login into the session in a callback of header_register_callback. */
export const simplesamlphp: App = {
  name: 'SimpleSAMLphp',
  cookie: 'PHPSESSIONID',
  // It has an authentication token of its own, in another cookie.
  keepsId: true,
  make: (unpacked) => {
    const directory = makeWith('tmp', { 'authsources.php': AUTHSOURCES })
    mkdirSync(join(directory, 'metadata'))
    writeFileSync(join(directory, 'config.php'), config(directory))
    const { script, params } = scriptsBelow(join(unpacked.simplesamlphp, 'www'))
    return { script, params: { ...params, SIMPLESAMLPHP_CONFIG_DIR: directory } }
  },
  login: async (browser) =>
    browser.submit(await browser.get(STATUS), 'username', { username: USER, password: PASSWORD }),
  page: () => STATUS,
  work: (browser) => browser.get(STATUS),
  logout: async (browser) => {
    await browser.get(`${STATUS}&logout`)
    return browser.get(STATUS)
  },
  result: />app</,
  outside: /name="username"/,
}
