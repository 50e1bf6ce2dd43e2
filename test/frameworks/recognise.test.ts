import { expect, test } from 'vitest'
import { words } from '../../src/core/text.ts'
import type { FrameworkVerdict } from '../../src/frameworks/framework.ts'
import { recogniseFramework } from '../../src/frameworks/recognise.ts'
import { rules } from '../../src/frameworks/rules/index.ts'
import { HostError } from '../../src/host/host.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { fc, PROPERTY_RUNS } from '../support/properties.ts'
import { APPS, empty, type Files, lock, locked } from './apps.ts'

const hostOf = (files: Files, env: Record<string, string> = {}) =>
  fakeHost(env, Object.fromEntries(Object.entries(files).map(([path, text]) => [`/app/${path}`, text])))
const recognise = (files: Files, env: Record<string, string> = {}) =>
  recogniseFramework(hostOf(files, env), '/app')

test.each(APPS.flatMap(([id, verdict, ...apps]) => apps.map((files) => [id, verdict, files] as const)))(
  '%s is recognised, and its verdict is %s',
  (id, verdict, files) => {
    expect(recognise(files)).toMatchObject({ id, verdict })
  },
)

test('every rule has an app here, and one for each kind of sign', () => {
  const enough = rules.map(({ id, packages, files }) => [
    id,
    Number(packages.length > 0) + Number(files.length > 0),
  ])
  const there = new Map(APPS.map(([id, , ...apps]) => [id, apps.length]))
  expect(enough.filter(([id, wanted]) => (there.get(String(id)) ?? 0) < Number(wanted))).toEqual([])
})

const SYMFONY = 'config/packages/framework.yaml'
const symfony = (version: string, yaml: string): Files => ({
  ...locked('symfony/framework-bundle', version),
  [SYMFONY]: yaml,
})
const laravel = (version: string, files: Files = {}): Files => ({
  ...locked('laravel/framework', version),
  ...files,
})
const named = (id: string): Files => APPS.find(([of]) => of === id)?.at(-1) as Files
const config3 = (text: string): Files => ({ ...named('codeigniter3'), 'application/config/config.php': text })
const joomla = (text: string): Files => ({ ...named('joomla'), 'configuration.php': text })

const DRIVER_3 = "$config['sess_driver'] = 'redis';"
const cake2 = (defaults: string): Files => ({
  ...empty('lib/Cake/bootstrap.php'),
  'lib/Cake/VERSION.txt': '2.10.24\n',
  'app/Config/core.php': `Configure::write('Session', array(\n  'defaults' => '${defaults}'\n));`,
})

test.each<[string, FrameworkVerdict | undefined, Files, Record<string, string>?]>([
  [
    "CodeIgniter 3's file for its environment counts",
    'own-shared',
    { ...config3(''), 'application/config/production/config.php': DRIVER_3 },
    { CI_ENV: 'production' },
  ],
  [
    'not that of another environment',
    'breaks',
    { ...config3(''), 'application/config/production/config.php': DRIVER_3 },
  ],
  [
    'the environment may be in index.php',
    'own-shared',
    {
      ...config3(''),
      'index.php': "define('ENVIRONMENT', isset($_SERVER['CI_ENV']) ? $_SERVER['CI_ENV'] : 'live');",
      'application/config/live/config.php': DRIVER_3,
    },
  ],
  [
    "CodeIgniter 4's boot file for its environment counts",
    'own-shared',
    {
      ...named('codeigniter4'),
      'app/Config/Boot/staging.php': "$_ENV['session.driver'] = RedisHandler::class;",
      '.env': 'CI_ENVIRONMENT = staging',
    },
  ],
  ['CakePHP 2 with PHP', 'php', cake2('php')],
  ['CakePHP 2 with its own files', 'own-local', cake2('cake')],
  ['CakePHP 2 with its database', 'own-shared', cake2('database')],
  ['CakePHP 2 by Composer', 'own-local', { ...cake2('cake'), ...locked('cakephp/cakephp', '2.10.24') }],
  [
    'Laravel 11 keeps its sessions in the database',
    'own-shared',
    laravel('v11.0.0', { '.env': 'DB_CONNECTION=mysql\n' }),
  ],
  [
    'Laravel 11 with SQLite has a local database',
    'own-local',
    laravel('v11.0.0', { '.env': 'DB_CONNECTION=sqlite\n' }),
  ],
  [
    'the skeleton of Laravel 12 has SQLite',
    'own-local',
    laravel('v12.0.0', { 'config/database.php': "    'default' => env('DB_CONNECTION', 'sqlite'),\n" }),
  ],
  [
    'a driver in .env counts',
    'own-shared',
    laravel('v10.0.0', { '.env': 'APP_NAME=x\nSESSION_DRIVER="redis"\n' }),
  ],
  [
    'a driver in a comment of .env does not count',
    'own-local',
    laravel('v10.0.0', { '.env': '# SESSION_DRIVER=redis\n' }),
  ],
  [
    'a driver in the environment wins',
    'own-shared',
    laravel('v10.0.0', { '.env': 'SESSION_DRIVER=file\n' }),
    { SESSION_DRIVER: 'memcached' },
  ],
  ['cookies are shared', 'own-shared', laravel('v10.0.0', { '.env': 'SESSION_DRIVER=cookie\n' })],
  ['Lumen before 5.2 had sessions', 'own-shared', locked('laravel/lumen-framework', 'v5.1.0')],
  [
    'Symfony 6 with handler_id: null',
    'php',
    symfony('v6.4.1', 'framework:\n    session:\n        handler_id: null\n'),
  ],
  [
    'Symfony 6 with handler_id: ~',
    'php',
    symfony('v6.4.1', 'framework:\n    session:\n        handler_id: ~ # ours\n        save_path: /x\n'),
  ],
  ['Symfony 6 on one line', 'php', symfony('v6.4.1', 'framework: { session: { handler_id: null } }\n')],
  [
    'Symfony 6 without a handler_id',
    'own-local',
    symfony('v6.4.1', 'framework:\n    session:\n        cookie_secure: auto\n'),
  ],
  ['Symfony 6 without sessions', 'php', symfony('v6.4.1', 'framework:\n    secret: x\n')],
  ['Symfony 7 without a handler_id', 'php', symfony('v7.0.0', 'framework:\n    session: true\n')],
  [
    'Symfony 7 with a save_path',
    'own-local',
    symfony('v7.0.0', "framework:\n    session:\n        save_path: '%kernel.project_dir%/var/sessions'\n"),
  ],
  [
    'Symfony with native files',
    'own-local',
    symfony('v7.0.0', 'framework:\n    session:\n        handler_id: session.handler.native_file\n'),
  ],
  [
    'Symfony with a DSN',
    'own-shared',
    symfony('v7.0.0', "framework:\n    session:\n        handler_id: '%env(REDIS_URL)%'\n"),
  ],
  [
    'Symfony configured in PHP',
    'php',
    {
      ...locked('symfony/framework-bundle', 'v6.4.0'),
      'config/packages/framework.php': "        'session' => [\n 'handler_id' => null,\n",
    },
  ],
  [
    'Symfony Standard',
    'own-local',
    {
      ...empty('app/AppKernel.php'),
      'app/config/config.yml': 'framework:\n    session:\n        handler_id: session.handler.native_file\n',
    },
  ],
  [
    'Shopware with a handler of its own',
    'own-shared',
    { ...named('shopware'), [SYMFONY]: 'framework:\n  session:\n    handler_id: my.handler\n' },
  ],
  [
    'CakePHP with its own files',
    'own-local',
    {
      ...named('cakephp'),
      'config/app.php':
        "    /*\n     * 'defaults' => 'php'\n     */\n    'Session' => [\n        'defaults' => 'cake',\n",
    },
  ],
  [
    'CakePHP with the database',
    'own-shared',
    { ...named('cakephp'), 'config/app_local.php': "'Session' => ['defaults' => 'database'],\n" },
  ],
  ['CakePHP 2 without its settings uses PHP', 'php', locked('cakephp/cakephp', '2.10.24')],
  [
    'CodeIgniter 3 with a directory',
    'own-local',
    config3("$config['sess_driver'] = 'files';\n$config['sess_save_path'] = APPPATH.'sessions';\n"),
  ],
  [
    'CodeIgniter 3 with NULL',
    'breaks',
    config3("$config['sess_driver'] = 'files';\n$config['sess_save_path'] = NULL;\n"),
  ],
  [
    'CodeIgniter 3 with Redis',
    'own-shared',
    config3("|\t$config['sess_driver'] = 'files';\n$config['sess_driver'] = 'redis';\n"),
  ],
  [
    'CodeIgniter 2 is not recognised',
    undefined,
    { ...config3(''), 'system/core/CodeIgniter.php': "\tdefine('CI_VERSION', '2.1.4');\n" },
  ],
  [
    'CodeIgniter 4 with Redis',
    'own-shared',
    {
      ...named('codeigniter4'),
      'app/Config/Session.php': '    public string $driver = RedisHandler::class;\n',
    },
  ],
  [
    'CodeIgniter 4 with files',
    'own-local',
    {
      ...named('codeigniter4'),
      'app/Config/Session.php':
        '    // - `CodeIgniter\\Session\\Handlers\\RedisHandler`\n    public string $driver = FileHandler::class;\n',
    },
  ],
  [
    'CodeIgniter 4 by .env',
    'own-shared',
    {
      ...named('codeigniter4'),
      '.env': "session.driver = 'CodeIgniter\\Session\\Handlers\\DatabaseHandler'\n",
    },
  ],
  [
    'CodeIgniter 4 by the environment',
    'own-local',
    named('codeigniter4'),
    { session_driver: 'CodeIgniter\\Session\\Handlers\\FileHandler' },
  ],
  [
    'Yii 2 with another component',
    'own-shared',
    { ...named('yii2'), 'config/web.php': "'session' => ['class' => 'yii\\redis\\Session'],\n" },
  ],
  [
    'Yii 2 with a directory',
    'breaks',
    { ...named('yii2'), 'config/web.php': "'session' => ['savePath' => '@runtime/sessions'],\n" },
  ],
  [
    'Yii 1 with the database',
    'own-shared',
    { 'protected/config/main.php': "'session' => array('class' => 'CDbHttpSession'),\n" },
  ],
  ['Craft 6 is not recognised', undefined, locked('craftcms/cms', '6.0.0')],
  [
    'Nette with a directory',
    'breaks',
    { ...named('nette'), 'config/common.neon': 'session:\n\tsavePath: %tempDir%/sessions\n' },
  ],
  [
    'Laminas with files',
    'own-local',
    {
      ...named('laminas'),
      'config/autoload/global.php': "'session_config' => ['save_handler' => 'files'],\n",
    },
  ],
  [
    'Zend 1 with a directory',
    'breaks',
    {
      ...named('zend1'),
      'application/configs/application.ini':
        '; resources.session.save_path = a\nresources.session.save_path = APPLICATION_PATH "/sessions"\n',
    },
  ],
  [
    'Phalcon without an adapter in the usual files',
    undefined,
    { 'composer.json': '{"require": {"ext-phalcon": "*"}}' },
  ],
  [
    'Phalcon with a directory',
    'own-local',
    {
      ...named('phalcon'),
      'app/config/services.php': "new \\Phalcon\\Session\\Adapter\\Stream(['savePath' => '/tmp'])\n",
    },
  ],
  [
    'WordPress with sessions in its database',
    'own-shared',
    { ...named('wordpress'), ...empty('wp-content/plugins/wp-native-php-sessions/pantheon-sessions.php') },
  ],
  [
    'Magento with the database',
    'own-shared',
    { ...named('magento2'), 'app/etc/env.php': "'session' => [\n 'save' => 'db'\n],\n" },
  ],
  ['Magento with Redis', 'own-shared', { ...named('magento2'), 'app/etc/env.php': "'save' => 'redis',\n" }],
  [
    'Magento with a directory',
    'own-local',
    { ...named('magento2'), 'app/etc/env.php': "'save' => 'files',\n'save_path' => '/tmp/s',\n" },
  ],
  ['Magento 2.2 is not recognised', undefined, locked('magento/product-community-edition', '2.2.11')],
  [
    'OpenMage with the database',
    'own-shared',
    { ...named('magento1'), 'app/etc/local.xml': '<session_save><![CDATA[db]]></session_save>\n' },
  ],
  [
    'OpenMage with files',
    'own-local',
    {
      ...named('magento1'),
      'app/etc/local.xml':
        '<!-- <session_save>db</session_save> -->\n<session_save><![CDATA[files]]></session_save>\n',
    },
  ],
  [
    'OpenCart with files',
    'own-local',
    { ...named('opencart'), 'system/config/catalog.php': "$_['session_engine'] = 'file';\n" },
  ],
  [
    'OpenCart 2.3',
    'php',
    {
      ...named('opencart'),
      'system/library/session/native.php': 'class Native extends \\SessionHandler {\n',
    },
  ],
  ['Joomla with files', 'breaks', joomla("\tpublic $session_handler = 'filesystem';\n")],
  [
    'Joomla with a directory',
    'own-local',
    joomla("public $session_handler = 'filesystem';\npublic $session_filesystem_path = '/srv/s';\n"),
  ],
  [
    'Joomla 3 with none',
    'php',
    { ...named('joomla3'), 'configuration.php': "public $session_handler = 'none';\n" },
  ],
  [
    'Moodle with Redis',
    'own-shared',
    { ...named('moodle'), 'public/config.php': "$CFG->session_handler_class = '\\core\\session\\redis';\n" },
  ],
  [
    'Moodle with the database',
    'own-shared',
    { ...named('moodle'), 'config.php': '$CFG->dbsessions = true;\n' },
  ],
  [
    'MediaWiki with APCu',
    'own-local',
    { ...named('mediawiki'), 'LocalSettings.php': '$wgMainCacheType = CACHE_ACCEL;\n' },
  ],
  [
    'MediaWiki with APCu for all but sessions',
    'own-shared',
    {
      ...named('mediawiki'),
      'LocalSettings.php': '$wgMainCacheType = CACHE_ACCEL;\n$wgSessionCacheType = CACHE_DB;\n',
    },
  ],
  [
    'Roundcube with php',
    'php',
    { ...named('roundcube'), 'config/config.inc.php': "$config['session_storage'] = 'php';\n" },
  ],
  [
    'phpMyAdmin with a directory',
    'own-local',
    { ...named('phpmyadmin'), 'config.inc.php': "$cfg['SessionSavePath'] = '/tmp/pma';\n" },
  ],
  [
    'TYPO3 with Redis',
    'own-shared',
    {
      ...named('typo3'),
      'config/system/settings.php':
        "'backend' => \\TYPO3\\CMS\\Core\\Session\\Backend\\RedisSessionBackend::class,\n",
    },
  ],
])('%s: %s', (_name, verdict, files, env) => {
  expect(recognise(files, env)?.verdict).toBe(verdict)
})

test('a product comes before the framework that it is built with', () => {
  const both = (...names: readonly string[]) => ({
    'composer.lock': lock(Object.fromEntries(names.map((name) => [name, '1.0.0']))),
  })
  const ids = [
    both('symfony/framework-bundle', 'shopware/core'),
    both('symfony/framework-bundle', 'sylius/sylius'),
    both('contao/core-bundle', 'symfony/framework-bundle'),
    both('yiisoft/yii2', 'craftcms/cms'),
    both('laravel/framework', 'winter/storm'),
    both('laminas/laminas-session', 'magento/magento2-base'),
    { ...laravel('v11.0.0'), ...empty('public/adminer.php') },
  ].map((files) => recognise(files)?.id)
  expect(ids).toEqual([
    ...words('shopware sylius contao craft winter'),
    // The Magento 1.0 of this test is older than the rule.
    ...[undefined, 'laravel'],
  ])
})

test("Symfony's components do not make an app a Symfony app", () => {
  expect(recognise(locked('symfony/http-foundation', 'v7.0.0'))).toBeUndefined()
})

test('packages for development only are not a sign', () => {
  expect(recognise({ 'composer.lock': lock({}, { 'laravel/framework': 'v11.0.0' }) })).toBeUndefined()
})

test('it says what it found where, and the version', () => {
  const seen = [
    laravel('v10.48.4', { '.env': 'A=1\nSESSION_DRIVER=file\n' }),
    { 'composer.json': '{"require": {"laravel/framework": "^10.8"}}' },
    { 'composer.json': '{"require": {"laravel/framework": "^10.0 || ^11.0"}}' },
    { 'htdocs/wp-includes/version.php': "<?php\n$wp_version = '6.6.2';\n" },
    { ...empty('bin/magento', 'app/etc/di.xml'), 'app/etc/env.php': "<?php\n'save' => 'db',\n" },
  ].map((files) => recognise(files))
  expect(seen.map((recognised) => [recognised?.name, recognised?.from])).toEqual([
    ['Laravel 10.48.4', 'composer.lock laravel/framework, .env line 2'],
    ['Laravel 10.8', 'composer.json laravel/framework'],
    ['Laravel', 'composer.json laravel/framework'],
    ['WordPress 6.6.2', 'htdocs/wp-includes/version.php'],
    ['Magento', 'bin/magento, app/etc/di.xml, app/etc/env.php line 2'],
  ])
  expect(recognise(laravel('v10.0.0'), { SESSION_DRIVER: 'redis' })?.from).toBe(
    'composer.lock laravel/framework, environment variable SESSION_DRIVER',
  )
})

test("an app whose files were moved to htdocs is recognised, with Composer's files beside htdocs", () => {
  const moved = {
    'composer.json': '{"require": {"cakephp/cakephp": "^5.0"}}',
    'htdocs/config/app.php': "'Session' => ['defaults' => 'cake'],\n",
  }
  expect(recognise(moved)).toMatchObject({
    id: 'cakephp',
    verdict: 'own-local',
    from: 'composer.json cakephp/cakephp, htdocs/config/app.php line 1',
  })
})

test.each<[string, Files]>([
  ['an empty composer.json', { 'composer.json': '' }],
  ['a composer.json that is not JSON', { 'composer.json': '{"require": {"laravel/framework"' }],
  ['a composer.json of another shape', { 'composer.json': '{"name": 1, "require": ["laravel/framework"]}' }],
  ['a composer.json that is a list', { 'composer.json': '[]' }],
  ['a constraint that is not text', { 'composer.json': '{"require": {"a/b": 1, "c/d": null}}' }],
  ['a composer.lock cut short', { 'composer.lock': '{"packages": [{"name": "laravel/framework", "ver' }],
  ['an app without files', {}],
  ['a plain app', { 'index.php': '<?php session_start();' }],
])('nothing is recognised in %s', (_name, files) => {
  expect(recognise(files)).toBeUndefined()
})

test('a malformed composer.json does not hide the files beside it', () => {
  expect(recognise({ 'composer.json': '{', ...empty('wp-load.php') })?.id).toBe('wordpress')
})

test('a huge composer.lock is searched', () => {
  const many = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`vendor/package-${i}`, '1.0.0']))
  const files = { 'composer.lock': lock({ ...many, 'laravel/framework': 'v11.0.0' }) }
  expect(recognise(files)?.id).toBe('laravel')
})

test('a huge file of settings is not read', () => {
  const files = laravel('v11.0.0', { '.env': `SESSION_DRIVER=file\n${'#'.repeat(600_000)}` })
  expect(recognise(files)?.verdict).toBe('own-shared')
})

test('unreadable files and directories count as missing', () => {
  const refuse = () => {
    throw new HostError('cannot read')
  }
  const files = laravel('v11.0.0')
  expect(recogniseFramework({ ...hostOf(files), listDirectory: refuse }, '/app')).toBeUndefined()
  expect(recogniseFramework({ ...hostOf(files), readBytes: refuse }, '/app')).toBeUndefined()
})

test('a fault of the program is not hidden as a missing file', () => {
  const fail = () => {
    throw new TypeError('a fault')
  }
  expect(() => recogniseFramework({ ...hostOf({}), listDirectory: fail }, '/app')).toThrow('a fault')
})

test('no directory is listed and no file is read twice', () => {
  const host = hostOf({ ...laravel('v11.0.0', { '.env': '' }), ...empty('public/index.php', 'artisan') })
  const listed: string[] = []
  const read: string[] = []
  const watched = {
    ...host,
    listDirectory: (path: string) => {
      listed.push(path)
      return host.listDirectory(path)
    },
    readBytes: (path: string) => {
      read.push(path)
      return host.readBytes(path)
    },
  }
  recogniseFramework(watched, '/app')
  expect(listed).toEqual(['/app', '/app/public'])
  expect(read).toEqual(['/app/composer.lock', '/app/.env'])
})

const PATHS = [
  ...new Set([
    ...APPS.flatMap(([, , ...apps]) => apps.flatMap((files) => Object.keys(files))),
    ...words('composer.json composer.lock .env config/session.php config/database.php'),
    SYMFONY,
  ]),
]

test('recognition never throws, whatever the files contain', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.constantFrom(
      'SESSION_DRIVER=',
      '"name":',
      '"name": "a/b", "version": ""',
      "'save' => '",
      '\n*\n',
      '\0',
    ),
  )
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...PATHS), text, { maxKeys: 12 }), (files) => {
      expect(() => recognise(files)).not.toThrow()
    }),
    { numRuns: PROPERTY_RUNS },
  )
})
