import { NEVER, READ_SAVE_PATH } from '../bound.ts'
import {
  always,
  asNamedBy,
  elsewhere,
  IN_DATABASE,
  inDirectoryOf,
  inFiles,
  ownLocal,
  ownShared,
  type Rule,
  USES_PHP,
} from '../framework.ts'

const CFG = 'config.php'

const moodle: Rule = {
  id: 'moodle',
  name: 'Moodle',
  packages: ['moodle/moodle'],
  files: [['lib/moodlelib.php']],
  judgement: {
    setting: inFiles(/\$CFG->session_handler_class\s*=\s*['"]\\*core\\+session\\+(\w+)/, CFG),
    cases: [
      [/^database$/, IN_DATABASE],
      [/^(redis|memcached)$/, asNamedBy('session_handler_class')],
    ],
    otherwise: {
      setting: inFiles(/\$CFG->dbsessions\s*=\s*['"]?(\w+)/, CFG),
      cases: [[/^(true|1)$/i, IN_DATABASE]],
      otherwise: ownLocal('files below its dataroot'),
    },
  },
  advice: [
    {
      store: 'redis',
      lacks: [...NEVER, 'TLS', 'user'],
      place: `${CFG}, before setup.php is required`,
      lines: ({ host, port, database, password }) => [
        "$CFG->session_handler_class = '\\core\\session\\redis';",
        `$CFG->session_redis_host = '${host}';`,
        `$CFG->session_redis_port = ${port};`,
        `$CFG->session_redis_database = ${database};`,
        ...(password === undefined ? [] : [READ_SAVE_PATH, "$CFG->session_redis_auth = $bound['auth'];"]),
      ],
    },
    elsewhere(
      `${CFG}, before setup.php is required`,
      "$CFG->session_handler_class = '\\core\\session\\database';",
    ),
  ],
}

const LOCAL = 'LocalSettings.php'

const mediawiki: Rule = {
  id: 'mediawiki',
  name: 'MediaWiki',
  packages: ['mediawiki/core'],
  files: [
    ['includes/WebStart.php', LOCAL],
    ['includes/Defines.php', 'load.php'],
  ],
  judgement: {
    setting: inFiles(/\$wgSessionCacheType\s*=\s*(.+)/, LOCAL),
    cases: [
      [/^CACHE_ACCEL/, ownLocal('memory')],
      [/./, ownShared('the cache that its $wgSessionCacheType names')],
    ],
    otherwise: {
      setting: inFiles(/\$wgMainCacheType\s*=\s*(\w+)/, LOCAL),
      cases: [[/^CACHE_ACCEL$/, ownLocal('memory ($wgMainCacheType is CACHE_ACCEL)')]],
      otherwise: ownShared('its cache or its database'),
    },
  },
  advice: [
    {
      store: 'redis',
      lacks: [...NEVER, 'TLS', 'user', 'database'],
      place: LOCAL,
      lines: ({ host, port, password }) => [
        ...(password === undefined ? [] : [READ_SAVE_PATH]),
        `$wgObjectCaches['redis'] = ['class' => 'RedisBagOStuff', 'servers' => ['${host}:${port}']${password === undefined ? '' : ", 'password' => $bound['auth']"}];`,
        "$wgSessionCacheType = 'redis';",
      ],
    },
    {
      store: 'memcached',
      lacks: [...NEVER, 'SASL'],
      place: LOCAL,
      lines: ({ servers }) => [
        `$wgMemCachedServers = ['${servers.replaceAll(',', "', '")}'];`,
        '$wgSessionCacheType = CACHE_MEMCACHED;',
      ],
    },
    elsewhere(LOCAL, '$wgSessionCacheType = CACHE_DB;'),
  ],
}

const roundcube: Rule = {
  id: 'roundcube',
  name: 'Roundcube',
  packages: ['roundcube/roundcubemail'],
  files: [['program/lib/Roundcube/rcube.php']],
  judgement: {
    setting: inFiles(/\$config\['session_storage'\]\s*=\s*'(\w+)'/, 'config/config.inc.php'),
    cases: [
      [/^php$/, USES_PHP],
      [/^(redis|memcached?)$/, asNamedBy('session_storage')],
    ],
    otherwise: IN_DATABASE,
  },
  advice: [always('config/config.inc.php', "$config['session_storage'] = 'php';")],
}

const phpmyadmin: Rule = {
  id: 'phpmyadmin',
  name: 'phpMyAdmin',
  packages: ['phpmyadmin/phpmyadmin'],
  files: [
    ['libraries/classes/Session.php', 'libraries/classes/Config.php'],
    ['src/Session.php', 'config.sample.inc.php'],
  ],
  judgement: {
    setting: inFiles(/\$cfg\['SessionSavePath'\]\s*=\s*['"](.+?)['"]/, 'config.inc.php'),
    cases: [[/./, inDirectoryOf('SessionSavePath')]],
    otherwise: USES_PHP,
  },
  advice: [always('config.inc.php', "$cfg['SessionSavePath'] = '';")],
}

function plain(
  id: string,
  name: string,
  packages: readonly string[],
  files: Rule['files'],
  judgement = IN_DATABASE,
): Rule {
  return { id, name, packages, files, judgement }
}

export const tools: readonly Rule[] = [
  moodle,
  mediawiki,
  roundcube,
  phpmyadmin,
  plain('matomo', 'Matomo', ['matomo/matomo', 'piwik/piwik'], [['matomo.php', 'core/Session.php']]),
  plain('phpbb', 'phpBB', ['phpbb/phpbb'], [['phpbb/session.php', 'viewtopic.php']]),
  plain('nextcloud', 'Nextcloud', ['nextcloud/server'], [['occ', 'lib/base.php']], USES_PHP),
]

/** A single file, often in the directory of another app. */
export const adminer: Rule = plain('adminer', 'Adminer', ['vrana/adminer'], [['adminer*.php']], USES_PHP)
