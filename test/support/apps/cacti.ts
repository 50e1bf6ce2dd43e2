import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type App, type Database, makeWith, PASSWORD, scriptsBelow, USER } from './app.ts'

const config = ({ host, port }: Database, secret: string) => `<?php
$database_type = 'mysql';
$database_default = 'cacti';
$database_hostname = '${host}';
$database_username = '${USER}';
$database_password = '${PASSWORD}';
$database_port = '${port}';
$database_retries = 5;
$database_ssl = false;
$database_ssl_key = '';
$database_ssl_cert = '';
$database_ssl_ca = '';
$database_persist = false;
$poller_id = 1;
$url_path = '/';
$cacti_session_name = 'Cacti';
$cacti_db_session = false;
$disable_log_rotation = true;
$php_snmp_support = false;
$path_csrf_secret = '${secret}';
`

/** Lists whose filter it keeps in the session. */
const LISTS = ['sites', 'cdef', 'vdef', 'color', 'gprint_presets', 'host_templates', 'data_input', 'tree']

/** The token of its forms belongs to the session, and what a form says after the redirect is there meanwhile. */
export const cacti: App = {
  name: 'Cacti',
  cookie: 'Cacti',
  keepsId: true,
  // As the installer leaves it; the log would be where only the package may write.
  statements: (unpacked) => [
    'CREATE DATABASE cacti;',
    `GRANT ALL ON cacti.* TO ${USER};`,
    'USE cacti;',
    readTables(join(unpacked.cacti, 'conf_templates/cacti.sql')),
    `UPDATE version SET cacti = '${versionOf(unpacked.cacti)}';`,
    `UPDATE user_auth SET username = '${USER}', password = MD5('${PASSWORD}') WHERE id = 1;`,
    "UPDATE user_auth SET must_change_password = '', password_change = '' WHERE id = 1;",
    "REPLACE INTO settings VALUES ('path_cactilog', '/dev/null');",
  ],
  make: (unpacked, database) => {
    const directory = makeWith('tmp', { 'config.php': '' })
    const file = join(directory, 'config.php')
    writeFileSync(file, config(database, join(directory, 'tmp/csrf-secret.php')))
    const { script, params } = scriptsBelow(join(unpacked.cacti, 'site'))
    return { script, params: { ...params, CACTI_CONFIG: file } }
  },
  login: async (browser) =>
    browser.submit(await browser.get('/index.php'), 'login_username', {
      login_username: USER,
      login_password: PASSWORD,
    }),
  page: () => '/index.php',
  work: async (browser) => {
    const page = await browser.get('/sites.php?action=edit')
    return browser.submit(page, 'alternate_id', { name: 'teapot', alternate_id: '' })
  },
  logout: (browser) => browser.get('/logout.php'),
  result: /\[edit: teapot\].*Save Successful/s,
  outside: /name='login_username'/,
  remembers: LISTS.map((list) => ({
    request: `/${list}.php?filter=teapot-${list}`,
    page: `/${list}.php`,
    shows: new RegExp(`value='teapot-${list}'`),
  })),
}

/** Cacti 1.2.26 begins with a delimiter that it does not use: for the server, all tables would be one statement. */
const readTables = (file: string) =>
  readFileSync(file, 'utf8').replace(/^DELIMITER \/\/$(?![\s\S]*^DELIMITER ;$)/m, '')

const versionOf = (directory: string) =>
  readFileSync(join(directory, 'site/include/cacti_version'), 'utf8').trim()
