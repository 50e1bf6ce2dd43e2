import { NEVER } from '../bound.ts'
import {
  always,
  asNamedBy,
  type BySetting,
  elsewhere,
  IN_DATABASE,
  inDirectoryOf,
  inFiles,
  ownLocal,
  ownShared,
  type Rule,
  USES_PHP,
} from '../framework.ts'

const ENV = 'app/etc/env.php'

const SAVE: BySetting = {
  setting: inFiles(/'save'\s*=>\s*'(\w+)'/, ENV),
  cases: [
    [/^db$/, IN_DATABASE],
    [/^(?!files$)./, ownShared('the store that app/etc/env.php names')],
  ],
  otherwise: {
    setting: inFiles(/'save_path'\s*=>\s*['"](.+?)['"]/, ENV),
    cases: [[/./, inDirectoryOf('save_path')]],
    otherwise: USES_PHP,
  },
}

const magento2: Rule = {
  id: 'magento2',
  name: 'Magento',
  packages: [
    'magento/product-community-edition',
    'magento/product-enterprise-edition',
    'magento/magento2-base',
    'mage-os/product-community-edition',
  ],
  files: [['bin/magento', 'app/etc/di.xml']],
  // Before 2.3 it chose PHP's handler itself.
  judgement: { below: '2.3', older: undefined, otherwise: SAVE },
  advice: [always(`${ENV}, without a save_path`, "'session' => ['save' => 'files'],")],
}

const LOCAL = 'app/etc/local.xml'

const magento1: Rule = {
  id: 'magento1',
  name: 'OpenMage',
  packages: ['openmage/magento-lts'],
  files: [['app/Mage.php', 'app/etc/config.xml']],
  judgement: {
    setting: inFiles(/<session_save>\s*(?:<!\[CDATA\[)?\s*(\w*)/, LOCAL),
    cases: [
      [/^db$/, IN_DATABASE],
      [/^(redis|memcached?)$/, asNamedBy('session_save')],
    ],
    otherwise: ownLocal('files in var/session'),
  },
  advice: [
    {
      store: 'redis',
      // The password would have to be in the file.
      lacks: [...NEVER, 'user', 'password', 'TLS'],
      place: `${LOCAL}, in <global>`,
      lines: ({ host, port, database }) => [
        '<session_save>redis</session_save>',
        `<redis_session><host>${host}</host><port>${port}</port><db>${database}</db></redis_session>`,
      ],
    },
    {
      store: 'memcached',
      lacks: [...NEVER, 'SASL'],
      place: `${LOCAL}, in <global>`,
      lines: ({ servers }) => [
        '<session_save>memcached</session_save>',
        `<session_save_path>${servers}</session_save_path>`,
      ],
    },
    elsewhere(`${LOCAL}, in <global>`, '<session_save>db</session_save>'),
  ],
}

const CATALOG = 'system/config/catalog.php'

const opencart: Rule = {
  id: 'opencart',
  name: 'OpenCart',
  packages: ['opencart/opencart'],
  files: [['system/startup.php', 'catalog/controller']],
  judgement: {
    // In version 2.3 the class extends PHP's own handler.
    setting: inFiles(/\bextends\s+\\?(SessionHandler)\b/, 'system/library/session/native.php'),
    cases: [[/./, USES_PHP]],
    otherwise: {
      setting: inFiles(/\$_\['session_engine'\]\s*=\s*'(\w+)'/, CATALOG, 'system/config/default.php'),
      cases: [
        [/^file$/, ownLocal('its own files')],
        [/^redis$/, ownShared('the server that its settings name')],
      ],
      otherwise: IN_DATABASE,
    },
  },
  advice: [elsewhere(CATALOG, "$_['session_engine'] = 'db';")],
}

export const shops: readonly Rule[] = [magento2, magento1, opencart]
