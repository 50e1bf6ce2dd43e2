import { quotePhp } from '../../core/formats/php-text.ts'
import { words } from '../../core/text.ts'
import { NEVER, READ_SAVE_PATH } from '../bound.ts'
import {
  asNamedBy,
  elsewhere,
  IN_DATABASE,
  inDirectoryOf,
  inFiles,
  type Judgement,
  mistakenBy,
  NO_SESSIONS,
  ownLocal,
  ownShared,
  type Rule,
  USES_PHP,
} from '../framework.ts'

const PANTHEON = 'plugins/wp-native-php-sessions/pantheon-sessions.php'

const wordpress: Rule = {
  id: 'wordpress',
  name: 'WordPress',
  packages: ['roots/wordpress', 'johnpbloch/wordpress', 'johnpbloch/wordpress-core'],
  files: [['wp-includes/version.php'], ['wp-load.php']],
  release: inFiles(/^\$wp_version\s*=\s*'([0-9.]+)'/, 'wp-includes/version.php'),
  judgement: {
    setting: inFiles(/(.)/, `wp-content/${PANTHEON}`, `app/${PANTHEON}`),
    cases: [[/./, ownShared('its database, by the plugin WP Native PHP Sessions')]],
    otherwise: NO_SESSIONS,
  },
}

const drupal: Rule = {
  id: 'drupal',
  name: 'Drupal',
  packages: ['drupal/core', 'drupal/core-recommended'],
  files: [['core/lib/Drupal.php']],
  release: inFiles(/\bconst VERSION = '([\w.-]+)'/, 'core/lib/Drupal.php'),
  judgement: IN_DATABASE,
}

const drupal7: Rule = {
  id: 'drupal7',
  name: 'Drupal 7',
  packages: [],
  files: [['includes/bootstrap.inc', 'modules/system/system.module']],
  judgement: IN_DATABASE,
}

const typo3: Rule = {
  id: 'typo3',
  name: 'TYPO3',
  packages: ['typo3/cms-core', 'typo3/cms'],
  files: [['typo3/sysext/core/ext_emconf.php'], ['typo3/sysext/core/composer.json']],
  judgement: {
    setting: inFiles(
      /\b(RedisSessionBackend)\b/,
      ...words('config/system/additional.php config/system/settings.php typo3conf/LocalConfiguration.php'),
    ),
    cases: [[/./, ownShared('the Redis that its settings name')]],
    otherwise: IN_DATABASE,
  },
  advice: [
    {
      store: 'redis',
      lacks: [...NEVER, 'user'],
      place: 'config/system/additional.php',
      lines: ({ tlsHost, port, database, password }) => [
        ...(password === undefined ? [] : [READ_SAVE_PATH]),
        "foreach (['BE', 'FE'] as $kind) $GLOBALS['TYPO3_CONF_VARS']['SYS']['session'][$kind] = [",
        "  'backend' => \\TYPO3\\CMS\\Core\\Session\\Backend\\RedisSessionBackend::class,",
        `  'options' => ['hostname' => ${quotePhp(tlsHost)}, 'port' => ${port}, 'database' => ${database}${password === undefined ? '' : ", 'password' => $bound['auth']"}],`,
        '];',
      ],
    },
  ],
}

/** Up to version 3 `none` means PHP's session handler; since version 4 it means the files handler. */
function joomlaJudgement(none: Judgement, files: Judgement): Judgement {
  return {
    setting: inFiles(/\$session_handler\s*=\s*['"](\w+)['"]/, 'configuration.php'),
    cases: [
      [/^none$/, none],
      [/^filesystem$/, files],
      [/^apcu?$/, ownLocal('memory')],
      [/^(redis|memcached?)$/, asNamedBy('session_handler')],
    ],
    otherwise: IN_DATABASE,
  }
}

const JOOMLA_FILES: Judgement = {
  setting: inFiles(/\$session_filesystem_path\s*=\s*['"](.+?)['"]/, 'configuration.php'),
  cases: [[/./, inDirectoryOf('session_filesystem_path')]],
  otherwise: mistakenBy('filesystem handler'),
}

const joomla3: Rule = {
  id: 'joomla3',
  name: 'Joomla 3',
  packages: [],
  files: [['libraries/joomla', 'administrator/manifests/files/joomla.xml']],
  judgement: joomlaJudgement(USES_PHP, undefined),
}

const joomla: Rule = {
  id: 'joomla',
  name: 'Joomla',
  packages: ['joomla/joomla-cms'],
  files: [['administrator/manifests/files/joomla.xml'], ['libraries/src/Version.php', 'configuration.php']],
  judgement: joomlaJudgement(JOOMLA_FILES, JOOMLA_FILES),
  // Its Redis handler needs the password as a constant in this file.
  advice: [elsewhere('configuration.php', "public $session_handler = 'database';")],
}

const grav: Rule = {
  id: 'grav',
  name: 'Grav',
  packages: ['getgrav/grav'],
  files: [['bin/grav', 'system/defines.php']],
  judgement: USES_PHP,
}

const kirby: Rule = {
  id: 'kirby',
  name: 'Kirby',
  packages: ['getkirby/cms'],
  files: [['kirby/bootstrap.php', 'content']],
  judgement: ownLocal('files in site/sessions'),
}

/** Joomla 3 comes before the rule for later versions, which have some of the same files. */
// biome-ignore format: a list of names
export const contentSystems: readonly Rule[] = [
  wordpress, drupal, drupal7, typo3, joomla3, joomla, grav, kirby,
]
