import { CANARY, type Service } from '../../../lab/bindings.ts'
import { PhpUnreadable } from '../../../src/doctor/ask-settings.ts'
import {
  APP_INI,
  type Cases,
  CLOUD_FOUNDRY,
  CNB,
  differs,
  fpmWith,
  is,
  KUBERNETES,
  OURS,
  phpWith,
  SAPI,
} from '../answers.ts'

const MEMCACHED: Service = {
  name: 'app-memcached-sessions',
  credentials: { servers: '10.0.4.41:11211', username: 'app', password: CANARY },
}
const POOL = '/etc/php/8.4/fpm/pool.d/www.conf:42 php_admin_value of pool www'
const HANDLER = '/run/php-sessions/php-sessions-handler.php'
const MANAGED = { PHP_SESSIONS_HANDLER: 'managed' }
const FILES = { 'session.save_handler': differs('files') }
const NOT_INSTALLED = { files: ['/etc/php/8.4/php.ini'], ours: null }
const READ_ONLY = { ...NOT_INSTALLED, scan: [{ path: '/etc/php/8.4/conf.d', isWritable: false }] }
const withoutRedis = { extensions: { ...SAPI.extensions, redis: null } }
const withoutMemcached = { extensions: { ...SAPI.extensions, memcached: null } }

/** What can be wrong with PHP itself, its extensions and its settings. */
export const PHP_CASES: Cases = {
  'no PHP': { silent: { settings: 127 } },
  'a PHP that hangs': { silent: { settings: 137 } },
  'a PHP that is too old': { silent: { settings: 255 } },
  'a PHP that crashes at an ini file that this user may not read': {
    silent: { settings: new PhpUnreadable('PHP 8.1.2', OURS) },
  },
  'settings that were never installed, in Apache': {
    answers: { settings: { ...phpWith(FILES, NOT_INSTALLED), isApache: true } },
  },
  'credentials that were changed, in Apache': {
    answers: {
      settings: {
        ...phpWith({ 'session.save_path': differs('tcp://10.0.4.29:6379', `${OURS}:6`) }),
        isApache: true,
      },
    },
  },
  'an exec of another user': {
    env: KUBERNETES,
    obstructions: [
      {
        id: 'exec.unreadable',
        level: 'error',
        title: 'php-sessions exec runs here as user 0, and this user cannot read the settings that it made',
        from: 'process 1',
        fix: 'examine it as that user: docker exec -u 0 CONTAINER php-sessions doctor',
      },
    ],
  },
  'an ini file that this user may not read': {
    answers: { settings: phpWith(FILES, { ...READ_ONLY, unreadable: [OURS] }) },
  },
  'settings that are left over': {
    services: [],
    answers: { settings: phpWith({}) },
  },
  'settings that are left over on Cloud Foundry': {
    services: [],
    env: CLOUD_FOUNDRY,
    answers: { settings: fpmWith({}) },
  },
  'syntax errors in ini files': {
    answers: {
      settings: phpWith(
        {},
        { faults: [`syntax error, unexpected '"' in ${APP_INI}:3`, 'syntax error, unexpected end of file'] },
      ),
    },
  },
  'no extension redis': { answers: { settings: { ...phpWith({}, withoutRedis), libraries: [] } } },
  'no extension memcached': {
    services: [MEMCACHED],
    answers: { settings: { ...phpWith({}, withoutMemcached), libraries: [] } },
  },
  'no extension redis on Cloud Foundry': {
    env: CLOUD_FOUNDRY,
    answers: { settings: { ...fpmWith({}, withoutRedis), libraries: [] } },
  },
  'no extension redis in a container': {
    env: KUBERNETES,
    answers: { settings: { ...phpWith({}, withoutRedis), libraries: [] } },
  },
  'no extension redis in an image of Cloud Native Buildpacks': {
    env: CNB,
    answers: { settings: { ...phpWith({}, withoutRedis), libraries: [] } },
  },
  'an extension that is not loaded': { answers: { settings: phpWith({}, withoutRedis) } },
  'an extension that cannot be loaded': {
    answers: {
      settings: phpWith({}, withoutRedis),
      extension: {
        said: "Warning: PHP Startup: Unable to load dynamic library 'redis' (tried: /usr/lib/php/redis)\n",
      },
    },
  },
  'an extension before the one that it needs': {
    answers: {
      settings: { ...phpWith({}, withoutRedis), libraries: ['redis', 'igbinary'] },
      extension: { said: 'undefined symbol: igbinary_serialize' },
    },
  },
  'an extension without the one that it needs': {
    services: [MEMCACHED],
    answers: {
      settings: phpWith({}, withoutMemcached),
      extension: { said: 'undefined symbol: msgpack_serialize' },
    },
  },
  'an ini file with another handler': {
    answers: { settings: phpWith({ 'session.save_handler': differs('files', `${APP_INI}:1`) }) },
  },
  'a handler that no file sets, though the settings are installed': { answers: { settings: phpWith(FILES) } },
  'an ini file with an empty save_path': {
    answers: { settings: phpWith({ 'session.save_path': differs('', `${APP_INI}:1`) }) },
  },
  'an ini file with another Memcached user': {
    services: [MEMCACHED],
    answers: { settings: phpWith({ 'memcached.sess_sasl_username': differs('other', `${APP_INI}:1`) }) },
  },
  'an ini file with another Memcached password': {
    services: [MEMCACHED],
    answers: { settings: phpWith({ 'memcached.sess_sasl_password': differs(null, `${APP_INI}:1`) }) },
  },
  'a pool of php-fpm with another handler': {
    answers: {
      settings: fpmWith({}, {}, [{ name: 'session.save_handler', ...differs('files', POOL) }]),
    },
  },
  'settings that were never installed': { answers: { settings: phpWith(FILES, NOT_INSTALLED) } },
  'settings that were never installed, for php-fpm, where another file sets the handler': {
    answers: {
      settings: fpmWith(
        { 'session.save_handler': differs('files', '/etc/php/8.4/php.ini:9') },
        NOT_INSTALLED,
      ),
    },
  },
  'settings that were never installed, without a directory of ini files': {
    answers: { settings: phpWith(FILES, { ...NOT_INSTALLED, scan: [] }) },
  },
  'settings that were never written on Cloud Foundry': {
    env: CLOUD_FOUNDRY,
    answers: { settings: fpmWith(FILES, READ_ONLY) },
  },
  'settings that were never written in a container': {
    env: KUBERNETES,
    answers: { settings: fpmWith(FILES, NOT_INSTALLED) },
  },
  'settings that were never written in a container under exec': {
    env: { ...KUBERNETES, PHP_INI_SCAN_DIR: ':/tmp/php-sessions-x' },
    answers: { settings: phpWith(FILES, READ_ONLY) },
  },
  'settings that were never written in an image of Cloud Native Buildpacks': {
    env: CNB,
    answers: { settings: phpWith(FILES, READ_ONLY) },
  },
  'a directory of ini files that this user may not write': {
    answers: { settings: phpWith(FILES, READ_ONLY) },
  },
  'a directory of php-fpm that this user may not write': {
    answers: { settings: fpmWith(FILES, READ_ONLY) },
  },
  'settings for older credentials': {
    answers: { settings: phpWith({ 'session.save_path': differs('tcp://10.0.4.29:6379', `${OURS}:6`) }) },
  },
  'settings for older credentials in php-fpm': {
    answers: { settings: fpmWith({ 'session.save_path': differs('tcp://10.0.4.29:6379', `${OURS}:6`) }) },
  },
  'settings for older credentials on Cloud Foundry': {
    env: CLOUD_FOUNDRY,
    answers: { settings: fpmWith({ 'session.save_path': differs('tcp://10.0.4.29:6379', `${OURS}:6`) }) },
  },
  'PERSISTENT= in an ini file': {
    services: [MEMCACHED],
    answers: {
      settings: phpWith({ 'session.save_path': differs('PERSISTENT=app 10.0.4.41:11211', `${APP_INI}:1`) }),
    },
  },
  'PERSISTENT= from nowhere': {
    services: [],
    answers: { settings: phpWith({ 'session.save_path': is('PERSISTENT=app 10.0.4.41:11211') }) },
  },
  'a command line with other settings than php-fpm': {
    answers: { settings: { ...fpmWith({}), cli: phpWith(FILES).cli } },
  },
  'a command line with another Memcached password than php-fpm, and no directory of ini files': {
    services: [MEMCACHED],
    answers: {
      settings: {
        ...fpmWith({}),
        cli: phpWith(
          { 'memcached.sess_sasl_password': differs(null, '/etc/php/8.4/cli/php.ini:7') },
          { scan: [] },
        ).cli,
      },
    },
  },
  'a command line without settings or a directory of ini files': {
    answers: { settings: { ...fpmWith({}), cli: phpWith(FILES, { scan: [] }).cli } },
  },
  'a .user.ini, which php-fpm reads': {
    files: { '/app/.user.ini': '; of the app\nsession.save_handler = files\n' },
    answers: { settings: fpmWith({}) },
  },
  'a .htaccess, which PHP in Apache reads': {
    files: { '/app/.htaccess': 'php_value session.save_handler files\n' },
    answers: { settings: { ...phpWith({}), isApache: true } },
  },
  "a file of the app's in the place of the managed handler": {
    env: MANAGED,
    answers: { settings: phpWith({ auto_prepend_file: differs('/app/prepend.php', `${APP_INI}:2`) }) },
  },
  'settings for the managed handler, which something that came later keeps from running': {
    env: MANAGED,
    obstacles: [
      {
        id: 'handler.bypassed',
        level: 'warn',
        title: 'the app sets auto_prepend_file',
        from: '/app/.user.ini',
        fix: 'remove that line',
      },
    ],
    answers: {
      settings: phpWith({
        auto_prepend_file: is(HANDLER, `${OURS}:20`),
        'session.save_path': differs('tcp://10.0.4.30:6379', `${OURS}:6`),
      }),
    },
  },
  'no file in the place of the managed handler': {
    env: MANAGED,
    answers: { settings: phpWith({ auto_prepend_file: differs('0', `${APP_INI}:2`) }) },
  },
  'settings for the native handler where managed is asked for': {
    env: MANAGED,
    answers: { settings: phpWith({ auto_prepend_file: differs('0') }) },
  },
  'settings for the managed handler where native is asked for': {
    answers: { settings: fpmWith({ auto_prepend_file: is(HANDLER, `${OURS}:20`) }) },
  },
  'the managed handler run by a file of the app, where native is asked for': {
    env: CLOUD_FOUNDRY,
    answers: { settings: fpmWith({ auto_prepend_file: is(HANDLER, `${APP_INI}:20`) }, { ours: null }) },
  },
  'an open_basedir without the managed handler, and no opcache': {
    env: MANAGED,
    answers: {
      settings: phpWith({
        auto_prepend_file: is(HANDLER, `${OURS}:20`),
        open_basedir: is('/srv/app:/tmp', `${APP_INI}:5`),
        'opcache.enable': is('0', `${APP_INI}:6`),
      }),
    },
  },
  'PHP without opcache': {
    env: MANAGED,
    answers: {
      settings: fpmWith({ auto_prepend_file: is(HANDLER, `${OURS}:20`), 'opcache.enable': is('') }),
    },
  },
}
