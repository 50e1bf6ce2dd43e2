import { words } from '../../core/text.ts'
import { always, asNamedBy, type BySetting, breaks, inFiles, type Rule, USES_PHP } from '../framework.ts'

const FILES = words(`
  config/app.web.php config/app.php config/web.php common/config/main.php frontend/config/main.php
  backend/config/main.php
`)

/** PHP's handler, unless the app configures a component of another class, or a directory. */
const COMPONENT: BySetting = {
  setting: inFiles(/(\bredis\\Session\b|\bCacheSession\b|\bDbSession\b)/, ...FILES),
  cases: [[/./, asNamedBy('session component')]],
  otherwise: {
    setting: inFiles(/'savePath'\s*=>\s*(.+)/, ...FILES),
    cases: [[/^(?!null)/, breaks('the savePath of its session component names a directory')]],
    otherwise: USES_PHP,
  },
}

const TO_PHP = always('the session component', 'remove savePath')

export const craft: Rule = {
  id: 'craft',
  name: 'Craft CMS',
  packages: ['craftcms/cms'],
  files: [['craft', 'config/general.php']],
  // Version 6 is built with another framework.
  judgement: { below: '6', older: COMPONENT, otherwise: undefined },
  advice: [TO_PHP],
}

export const yii2: Rule = {
  id: 'yii2',
  name: 'Yii',
  packages: ['yiisoft/yii2'],
  files: [
    ['yii', 'config/web.php'],
    ['yii', 'common/config/main.php'],
  ],
  judgement: COMPONENT,
  advice: [TO_PHP],
}

export const yii1: Rule = {
  id: 'yii1',
  name: 'Yii',
  packages: ['yiisoft/yii'],
  files: [['protected/config/main.php']],
  judgement: {
    setting: inFiles(/\b(CCacheHttpSession|CDbHttpSession)\b/, 'protected/config/main.php'),
    cases: [[/./, asNamedBy('session component')]],
    otherwise: USES_PHP,
  },
}
