import { quotePhp } from '../../core/formats/php-text.ts'
import { NEVER } from '../bound.ts'
import {
  always,
  type BySetting,
  breaks,
  IN_DATABASE,
  inDirectoryOf,
  inFiles,
  mistakenBy,
  NO_SESSIONS,
  ownLocal,
  ownShared,
  type Rule,
  USES_PHP,
} from '../framework.ts'

const CORE_2 = 'app/Config/core.php'

/** CakePHP 2 is installed as an app with its library beside it, or by Composer. */
const CAKE_2: BySetting = {
  setting: inFiles(/'defaults'\s*=>\s*'(\w+)'/, CORE_2, 'Config/core.php'),
  cases: [
    [/^cake$/, ownLocal('files in app/tmp/sessions')],
    [/^database$/, IN_DATABASE],
    [/^cache$/, ownShared('the cache that its settings name')],
  ],
  otherwise: USES_PHP,
}

const cakephp: Rule = {
  id: 'cakephp',
  name: 'CakePHP',
  packages: ['cakephp/cakephp'],
  files: [
    ['bin/cake', 'config/bootstrap.php'],
    ['lib/Cake/bootstrap.php', CORE_2],
  ],
  release: inFiles(/^([0-9]+\.[0-9.]+)\s*$/, 'lib/Cake/VERSION.txt'),
  judgement: {
    below: '3',
    older: CAKE_2,
    otherwise: {
      setting: inFiles(
        /'defaults'\s*=>\s*(?:env\(\s*'\w+',\s*)?'(\w+)'/,
        'config/app_local.php',
        'config/app.php',
      ),
      cases: [
        [/^cake$/, ownLocal('files in tmp/sessions')],
        [/^database$/, IN_DATABASE],
        [/^cache$/, ownShared('the cache that its settings name')],
      ],
      otherwise: USES_PHP,
    },
  },
  advice: [
    { ...always('config/app.php', "'Session' => ['defaults' => 'php'],"), since: '3' },
    always(CORE_2, "Configure::write('Session', array('defaults' => 'php'));"),
  ],
}

const PHALCON_FILES = ['app/config/services.php', 'config/services.php', 'src/Providers/SessionProvider.php']

/** Code chooses the adapter. If no file in the usual places names one, there is no verdict. */
const phalcon: Rule = {
  id: 'phalcon',
  name: 'Phalcon',
  packages: ['ext-phalcon'],
  files: [['.phalcon']],
  judgement: {
    setting: inFiles(/\bSession\\+Adapter\\+(Stream|Redis|Libmemcached)\b/, ...PHALCON_FILES),
    cases: [
      [/^(Redis|Libmemcached)$/, ownShared('the server that its session adapter names')],
      [
        /^Stream$/,
        {
          setting: inFiles(/(['"]savePath['"])/, ...PHALCON_FILES),
          cases: [[/./, inDirectoryOf('savePath')]],
          otherwise: mistakenBy('Stream adapter'),
        },
      ],
    ],
    otherwise: undefined,
  },
  advice: [
    {
      store: 'redis',
      lacks: NEVER,
      place: 'the code that makes the session manager',
      lines: ({ tlsHost, port, user, password, database, prefix }) => {
        const login = user === undefined ? "'<password>'" : `[${quotePhp(user)}, '<password>']`
        const options = [
          `'host' => ${quotePhp(tlsHost)}`,
          `'port' => ${port}`,
          ...(password === undefined ? [] : [`'auth' => ${login}`]),
          `'index' => ${database}`,
          ...(prefix === undefined ? [] : [`'prefix' => ${quotePhp(prefix)}`]),
        ]
        return [`new \\Phalcon\\Session\\Adapter\\Redis($factory, [${options.join(', ')}])`]
      },
    },
  ],
}

const NEON = ['config/common.neon', 'config/config.neon', 'app/config/common.neon', 'app/config/config.neon']

const nette: Rule = {
  id: 'nette',
  name: 'Nette',
  packages: ['nette/application', 'nette/http'],
  files: [],
  judgement: {
    setting: inFiles(/\b(?:savePath|save_path)\s*:\s*(.+)/, ...NEON),
    cases: [[/./, breaks('savePath in its session settings names a directory')]],
    otherwise: USES_PHP,
  },
  advice: [always('the session section of config/common.neon', 'remove savePath')],
}

const slim: Rule = {
  id: 'slim',
  name: 'Slim',
  packages: ['slim/slim'],
  files: [],
  judgement: NO_SESSIONS,
}

export const otherFrameworks: readonly Rule[] = [cakephp, phalcon, nette, slim]
