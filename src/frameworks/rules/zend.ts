import { words } from '../../core/text.ts'
import { always, asNamedBy, breaks, inFiles, ownLocal, type Rule, USES_PHP } from '../framework.ts'

const LAMINAS_FILES = words('session.global.php session.local.php global.php local.php').map(
  (file) => `config/autoload/${file}`,
)

export const laminas: Rule = {
  id: 'laminas',
  name: 'Laminas',
  packages: ['laminas/laminas-session', 'zendframework/zend-session'],
  files: [],
  judgement: {
    setting: inFiles(/'(?:php_)?save_handler'\s*=>\s*['"]?(\w+)/, ...LAMINAS_FILES),
    cases: [
      [/^files$/, ownLocal('files')],
      [/./, asNamedBy('save_handler')],
    ],
    otherwise: USES_PHP,
  },
  advice: [always('config/autoload', 'remove save_handler and save_path from session_config')],
}

const INI = 'application/configs/application.ini'

export const zend1: Rule = {
  id: 'zend1',
  name: 'Zend Framework 1',
  packages: ['shardj/zf1-future', 'zendframework/zendframework1'],
  files: [['library/Zend/Session.php']],
  judgement: {
    setting: inFiles(/^\s*resources\.session\.saveHandler\.class\s*=\s*(.+)/, INI),
    cases: [[/./, asNamedBy('saveHandler')]],
    otherwise: {
      setting: inFiles(/^\s*resources\.session\.save_path\s*=\s*(.+)/, INI),
      cases: [[/./, breaks('resources.session.save_path names a directory')]],
      otherwise: USES_PHP,
    },
  },
  advice: [always(INI, 'remove resources.session.save_path')],
}
