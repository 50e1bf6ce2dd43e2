import { words } from '../../core/text.ts'
import {
  always,
  asNamedBy,
  type BySetting,
  inDirectoryOf,
  inFiles,
  type Judgement,
  ownLocal,
  type Rule,
  USES_PHP,
} from '../framework.ts'

/** Not Symfony's components, which Laravel, Drupal, Joomla and phpBB have too. */
const PACKAGES = ['symfony/framework-bundle', 'symfony/symfony']
const FILES = words(`
  config/packages/framework.yaml config/packages/session.yaml config/packages/framework.php app/config/config.yml
`)

const find = (line: RegExp) => inFiles(line, ...FILES)

const CACHE_FILES = ownLocal('files in its cache directory')

const SAVE_PATH: BySetting = {
  setting: find(/\bsave_path['"]?\s*(?::|=>)\s*(.+)/),
  cases: [
    [/^(~|null)\s*([,#}]|$)/i, USES_PHP],
    [/./, inDirectoryOf('save_path')],
  ],
  otherwise: USES_PHP,
}

/** Before 7.0 a missing `handler_id` meant files; without `session:` there are no sessions. */
const WITHOUT_HANDLER: Judgement = {
  of: PACKAGES,
  below: '7.0',
  older: { setting: find(/\bsession:/), cases: [[/^/, CACHE_FILES]], otherwise: USES_PHP },
  otherwise: SAVE_PATH,
}

/** What `handler_id` decides, in YAML or PHP; `otherwise` if no file has it. */
function byHandler(otherwise: Judgement): Judgement {
  return {
    setting: find(/(?:\bhandler_id['"]?\s*(?::|=>)|\bhandlerId\()\s*(.*)/),
    cases: [
      [/^['"]?session\.handler\.native_file/, CACHE_FILES],
      // Before 7.0 Symfony ignored a save_path beside it.
      [/^(~|null|)\s*([),#}]|$)/i, { of: PACKAGES, below: '7.0', older: USES_PHP, otherwise: SAVE_PATH }],
      [/./, asNamedBy('handler_id')],
    ],
    otherwise,
  }
}

const TO_PHP = always(
  'config/packages/framework.yaml or app/config/config.yml, without a save_path',
  'framework: { session: { handler_id: null } }',
)

/** A product that sets `handler_id: null` in a package of its own. */
function product(id: string, name: string, packages: readonly string[], files: readonly string[]): Rule {
  return { id, name, packages, files: [files], judgement: byHandler(USES_PHP), advice: [TO_PHP] }
}

export const shopware = product(
  'shopware',
  'Shopware',
  ['shopware/core', 'shopware/platform'],
  ['config/packages/shopware.yaml', 'bin/console'],
)

export const sylius = product('sylius', 'Sylius', ['sylius/sylius'], ['config/packages/_sylius.yaml'])

export const contao = product(
  'contao',
  'Contao',
  ['contao/manager-bundle', 'contao/core-bundle'],
  ['vendor/bin/contao-console'],
)

export const prestashop: Rule = {
  ...product(
    'prestashop',
    'PrestaShop',
    ['prestashop/prestashop'],
    ['config/defines.inc.php', 'classes/PrestaShopAutoload.php'],
  ),
  remark: 'this applies to its back office',
}

export const symfony: Rule = {
  id: 'symfony',
  name: 'Symfony',
  packages: PACKAGES,
  files: [['config/bundles.php', 'bin/console'], ['app/AppKernel.php']],
  judgement: byHandler(WITHOUT_HANDLER),
  advice: [TO_PHP],
}
