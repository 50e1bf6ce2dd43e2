import type { Rule } from '../framework.ts'
import { codeigniter3, codeigniter4 } from './codeigniter.ts'
import { contentSystems } from './content.ts'
import { laravels, lumen } from './laravel.ts'
import { otherFrameworks } from './others.ts'
import { shops } from './shops.ts'
import { contao, prestashop, shopware, sylius, symfony } from './symfony.ts'
import { adminer, tools } from './tools.ts'
import { craft, yii1, yii2 } from './yii.ts'
import { laminas, zend1 } from './zend.ts'

/** Every rule. The first rule that fits wins, so a product comes before the framework that it is built with. */
// biome-ignore format: a list of names
export const rules: readonly Rule[] = [
  shopware, sylius, contao, prestashop, craft,
  ...shops,
  ...contentSystems,
  ...tools,
  lumen, ...laravels, symfony, yii2, yii1, codeigniter4, codeigniter3,
  ...otherFrameworks,
  laminas, zend1, adminer,
]
