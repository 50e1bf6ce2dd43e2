import type { FrameworkVerdict } from '../../src/frameworks/framework.ts'

/** The files of an app: path to text. */
export type Files = Readonly<Record<string, string>>

/** A composer.lock with these packages, as Composer writes it. */
export const lock = (packages: Files, development: Files = {}): string => {
  const entries = (of: Files) =>
    Object.entries(of).map(([name, version]) => ({ name, version, type: 'library' }))
  return JSON.stringify({ packages: entries(packages), 'packages-dev': entries(development) }, undefined, 4)
}
export const locked = (name: string, version: string): Files => ({
  'composer.lock': lock({ [name]: version }),
})
export const empty = (...paths: readonly string[]): Files =>
  Object.fromEntries(paths.map((path) => [path, '<?php\n']))

/** Every rule with apps like their skeletons: recognised by Composer's files, then by their own. */
export const APPS: readonly (readonly [
  id: string,
  verdict: FrameworkVerdict,
  app: Files,
  ...more: Files[],
])[] = [
  [
    'shopware',
    'php',
    locked('shopware/core', 'v6.6.1'),
    empty('config/packages/shopware.yaml', 'bin/console'),
  ],
  ['sylius', 'php', locked('sylius/sylius', 'v1.13.0'), empty('config/packages/_sylius.yaml')],
  ['contao', 'php', locked('contao/manager-bundle', '5.3.0'), empty('vendor/bin/contao-console')],
  [
    'prestashop',
    'php',
    { 'composer.json': '{"name": "prestashop/prestashop"}' },
    empty('config/defines.inc.php', 'classes/PrestaShopAutoload.php', 'app/AppKernel.php'),
  ],
  [
    'craft',
    'php',
    locked('craftcms/cms', '5.1.0'),
    { ...empty('craft', 'config/general.php'), ...locked('craftcms/cms', '4.9.1') },
  ],
  [
    'magento2',
    'php',
    locked('magento/product-community-edition', '2.4.7'),
    empty('bin/magento', 'app/etc/di.xml'),
  ],
  [
    'magento1',
    'own-local',
    locked('openmage/magento-lts', 'v20.10.0'),
    empty('app/Mage.php', 'app/etc/config.xml'),
  ],
  [
    'opencart',
    'own-shared',
    { 'composer.json': '{"name": "opencart/opencart"}' },
    empty('system/startup.php', 'catalog/controller/a.php'),
  ],
  [
    'wordpress',
    'none',
    locked('roots/wordpress', '6.6.2'),
    empty('wp-includes/version.php'),
    empty('wp-load.php'),
  ],
  ['drupal', 'own-shared', locked('drupal/core-recommended', '10.3.1'), empty('web/core/lib/Drupal.php')],
  ['drupal7', 'own-shared', empty('includes/bootstrap.inc', 'modules/system/system.module')],
  ['typo3', 'own-shared', locked('typo3/cms-core', 'v12.4.0'), empty('typo3/sysext/core/ext_emconf.php')],
  [
    'joomla3',
    'own-shared',
    empty('libraries/joomla/factory.php', 'administrator/manifests/files/joomla.xml'),
  ],
  [
    'joomla',
    'own-shared',
    { 'composer.json': '{"name": "joomla/joomla-cms"}' },
    empty('administrator/manifests/files/joomla.xml'),
  ],
  ['grav', 'php', { 'composer.json': '{"name": "getgrav/grav"}' }, empty('bin/grav', 'system/defines.php')],
  ['kirby', 'own-local', locked('getkirby/cms', '4.3.0'), empty('kirby/bootstrap.php', 'content/site.txt')],
  [
    'moodle',
    'own-local',
    { 'composer.json': '{"name": "moodle/moodle"}' },
    empty('lib/moodlelib.php'),
    empty('public/lib/moodlelib.php'),
  ],
  [
    'mediawiki',
    'own-shared',
    { 'composer.json': '{"name": "mediawiki/core"}' },
    empty('includes/WebStart.php', 'LocalSettings.php'),
  ],
  [
    'roundcube',
    'own-shared',
    { 'composer.json': '{"name": "roundcube/roundcubemail"}' },
    empty('program/lib/Roundcube/rcube.php'),
  ],
  [
    'phpmyadmin',
    'php',
    { 'composer.json': '{"name": "phpmyadmin/phpmyadmin"}' },
    empty('libraries/classes/Session.php', 'libraries/classes/Config.php'),
  ],
  [
    'matomo',
    'own-shared',
    { 'composer.json': '{"name": "matomo/matomo"}' },
    empty('matomo.php', 'core/Session.php'),
  ],
  [
    'phpbb',
    'own-shared',
    { 'composer.json': '{"name": "phpbb/phpbb"}' },
    empty('phpbb/session.php', 'viewtopic.php'),
  ],
  [
    'nextcloud',
    'php',
    { 'composer.json': '{"name": "nextcloud/server"}' },
    empty('occ', 'lib/base.php', 'version.php'),
  ],
  ['lumen', 'none', locked('laravel/lumen-framework', 'v10.0.0')],
  [
    'october',
    'own-local',
    { 'composer.lock': lock({ 'laravel/framework': 'v9.52.0', 'october/rain': 'v3.6.0' }) },
  ],
  [
    'winter',
    'own-local',
    { 'composer.lock': lock({ 'laravel/framework': 'v9.52.0', 'winter/storm': 'v1.2.0' }) },
  ],
  [
    'laravel',
    'own-local',
    locked('laravel/framework', 'v10.48.4'),
    { ...empty('artisan'), 'config/session.php': "    'driver' => env('SESSION_DRIVER', 'file'),\n" },
  ],
  [
    'symfony',
    'php',
    locked('symfony/framework-bundle', 'v7.1.0'),
    empty('config/bundles.php', 'bin/console'),
  ],
  ['yii2', 'php', locked('yiisoft/yii2', '2.0.50'), empty('yii', 'config/web.php')],
  ['yii1', 'php', locked('yiisoft/yii', '1.1.29'), empty('protected/config/main.php')],
  [
    'codeigniter4',
    'own-local',
    locked('codeigniter4/framework', 'v4.5.0'),
    empty('spark', 'app/Config/App.php'),
  ],
  [
    'codeigniter3',
    'breaks',
    { 'composer.json': '{"name": "codeigniter/framework"}' },
    empty('system/core/CodeIgniter.php', 'application/config/config.php'),
  ],
  ['cakephp', 'php', locked('cakephp/cakephp', '5.1.1'), empty('bin/cake', 'config/bootstrap.php')],
  [
    'phalcon',
    'breaks',
    {
      'composer.json': '{"require": {"ext-phalcon": "^5.0"}}',
      'config/services.php': 'use Phalcon\\Session\\Adapter\\Stream;\n',
    },
    { ...empty('.phalcon/x'), 'app/config/services.php': 'new \\Phalcon\\Session\\Adapter\\Stream()\n' },
  ],
  ['nette', 'php', locked('nette/application', 'v3.2.0')],
  ['slim', 'none', locked('slim/slim', '4.14.0')],
  ['laminas', 'php', locked('laminas/laminas-session', '2.21.0')],
  ['zend1', 'php', locked('shardj/zf1-future', '1.24.0'), empty('library/Zend/Session.php')],
  [
    'adminer',
    'php',
    locked('vrana/adminer', '4.8.1'),
    empty('adminer.php'),
    empty('adminer-4.8.1-mysql.php'),
  ],
]

/** Apps that lose their sessions because of a setting that their skeletons do not have. */
export const LOSING: readonly (readonly [name: string, app: Files])[] = [
  [
    'Symfony with native files',
    {
      ...locked('symfony/framework-bundle', 'v6.4.0'),
      'config/packages/framework.yaml': 'handler_id: session.handler.native_file\n',
    },
  ],
  [
    'CakePHP with its own files',
    { ...locked('cakephp/cakephp', '5.0.0'), 'config/app.php': "'defaults' => 'cake'," },
  ],
  [
    'CakePHP 2 with its own files',
    {
      ...empty('lib/Cake/bootstrap.php'),
      'lib/Cake/VERSION.txt': '////\n// comments\n2.10.24\n',
      'app/Config/core.php': "Configure::write('Session', array(\n 'defaults' => 'cake'\n));",
    },
  ],
  ['CodeIgniter 4.7.0', locked('codeigniter4/framework', '4.7.0')],
  ['CodeIgniter 4.4', locked('codeigniter4/framework', '4.4.0')],
  ['CodeIgniter 4.2', locked('codeigniter4/framework', '4.2.0')],
  ['Laravel 12 with SQLite', { ...locked('laravel/framework', '12.0.0'), '.env': 'DB_CONNECTION=sqlite' }],
  [
    'Magento with a directory',
    {
      ...empty('bin/magento', 'app/etc/di.xml'),
      'app/etc/env.php': "'save' => 'files', 'save_path' => '/tmp',",
    },
  ],
  [
    'Joomla with files',
    {
      ...empty('administrator/manifests/files/joomla.xml'),
      'configuration.php': "public $session_handler = 'filesystem';",
    },
  ],
  [
    'MediaWiki with APCu',
    { ...empty('includes/WebStart.php'), 'LocalSettings.php': '$wgMainCacheType = CACHE_ACCEL;' },
  ],
  [
    'OpenCart with files',
    {
      ...empty('system/startup.php', 'catalog/controller/a.php'),
      'system/config/catalog.php': "$_['session_engine'] = 'file';",
    },
  ],
  [
    'phpMyAdmin with a directory',
    {
      ...empty('libraries/classes/Session.php', 'libraries/classes/Config.php'),
      'config.inc.php': "$cfg['SessionSavePath'] = '/tmp';",
    },
  ],
  ['Nette with a directory', { ...locked('nette/http', '3.2.0'), 'config/common.neon': 'savePath: /tmp' }],
  [
    'Yii with a directory',
    { ...locked('yiisoft/yii2', '2.0.50'), 'config/web.php': "'savePath' => '/tmp'," },
  ],
  [
    'Laminas with files',
    {
      ...locked('laminas/laminas-session', '2.21.0'),
      'config/autoload/global.php': "'save_handler' => 'files',",
    },
  ],
  [
    'Zend 1 with a directory',
    {
      ...locked('shardj/zf1-future', '1.24.0'),
      'application/configs/application.ini': 'resources.session.save_path = "/tmp"',
    },
  ],
]
