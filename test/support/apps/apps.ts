import { join } from 'node:path'
import { type App, type Database, makeWith, PASSWORD, USER } from './app.ts'
import { cacti } from './cacti.ts'
import { dokuwiki } from './dokuwiki.ts'
import { simplesamlphp } from './simplesamlphp.ts'
import { SYMFONY_APP, SYMFONY_APP_WITH_HANDLER } from './symfony-app.ts'

/** Makes the database that people work with, and the user that they log in as. */
export const STATEMENTS = [
  'CREATE DATABASE shop;',
  'CREATE TABLE shop.goods (name VARCHAR(40));',
  "INSERT INTO shop.goods VALUES ('teapot');",
  `CREATE USER ${USER} IDENTIFIED BY '${PASSWORD}';`,
  `GRANT ALL ON shop.* TO ${USER};`,
]
const QUERY = 'SELECT name, 6 * 7 FROM goods'
const RESULT = />teapot<.*>42</s

/** Without a `blowfish_secret`, so that the key to the cookies with the login is in the session. */
const phpmyadminConfig = ({ host, port }: Database) => `<?php
$cfg['Servers'][1] = ['auth_type' => 'cookie', 'connect_type' => 'tcp', 'host' => '${host}', 'port' => '${port}'];
$cfg['TempDir'] = __DIR__ . '/tmp';
`

const phpmyadmin: App = {
  name: 'phpMyAdmin',
  cookie: 'phpMyAdmin',
  make: (unpacked, database) => {
    const directory = makeWith('tmp', { 'config.inc.php': phpmyadminConfig(database) })
    return {
      script: join(unpacked.phpmyadmin, 'index.php'),
      params: { PHPMYADMIN_CONFIG: join(directory, 'config.inc.php') },
    }
  },
  login: async (browser) =>
    browser.submit(await browser.get('/index.php'), 'pma_username', {
      pma_username: USER,
      pma_password: PASSWORD,
    }),
  page: () => '/index.php?route=/database/structure&db=shop',
  work: async (browser) => {
    const page = await browser.get('/index.php?route=/database/sql&db=shop')
    return browser.submit(page, 'sql_query', { sql_query: QUERY })
  },
  // In a browser, JavaScript turns the link into a form.
  logout: async (browser) => {
    const { token = '' } = (await browser.get('/index.php')).form('token').fields
    return browser.post('/index.php?route=/logout', { token })
  },
  result: RESULT,
  outside: /name="pma_username"/,
}

const adminerPath = ({ host, port }: Database, more = '') =>
  `/adminer.php?${new URLSearchParams({ server: `${host}:${port}`, username: USER })}&db=shop${more}`

const adminer: App = {
  name: 'Adminer',
  cookie: 'adminer_sid',
  make: (unpacked) => ({ script: join(unpacked.adminer, 'adminer.php') }),
  login: async (browser, { host, port }) =>
    browser.submit(await browser.get('/adminer.php'), 'auth[username]', {
      'auth[driver]': 'server',
      'auth[server]': `${host}:${port}`,
      'auth[username]': USER,
      'auth[password]': PASSWORD,
      'auth[db]': 'shop',
    }),
  page: (database) => adminerPath(database),
  work: async (browser, database) => {
    const page = await browser.get(adminerPath(database, '&sql='))
    return browser.submit(page, 'query', { query: QUERY })
  },
  logout: async (browser, database) =>
    browser.submit(await browser.get(adminerPath(database)), 'logout', { logout: 'Logout' }),
  result: RESULT,
  outside: /name="auth\[username\]"/,
}

export const symfony: App = {
  name: 'Symfony',
  cookie: 'PHPSESSIONID',
  make: () => ({ script: join(makeWith('var', SYMFONY_APP), 'public/index.php') }),
  login: async (browser) => browser.submit(await browser.get('/login'), 'user', { user: 'Ann' }),
  page: () => '/account',
  work: (browser) => browser.get('/notify'),
  logout: (browser) => browser.get('/logout'),
  result: /^Ann: changed$/,
  outside: /name="user"/,
}

const symfonyWithHandler: App = {
  ...symfony,
  name: 'Symfony with a handler that extends SessionHandler',
  isBypassing: true,
  make: () => ({ script: join(makeWith('var', SYMFONY_APP_WITH_HANDLER), 'public/index.php') }),
}

/** The apps that the tests log in to. */
export const LOGIN_APPS = [phpmyadmin, adminer, symfony, symfonyWithHandler, simplesamlphp, dokuwiki, cacti]
