import { NEVER } from '../bound.ts'
import {
  type AppSetting,
  asNamedBy,
  type BySetting,
  elsewhere,
  IN_DATABASE,
  NO_SESSIONS,
  ownLocal,
  ownShared,
  type Rule,
} from '../framework.ts'
import { dotenv } from '../judge.ts'
import { laravelEnvironment, laravelLines } from './laravel-environment.ts'

const PLACE = 'the environment or .env'
const IN_FILES = ownLocal('files below storage/framework/sessions')
const AS_NAMED = asNamedBy('SESSION_DRIVER')

const DATABASE: BySetting = {
  setting: {
    variable: 'DB_CONNECTION',
    places: [
      dotenv('DB_CONNECTION'),
      ['config/database.php', /'default'\s*=>\s*env\(\s*'DB_CONNECTION',\s*'(\w+)'/],
    ],
  },
  cases: [[/^sqlite$/, ownLocal('an SQLite file')]],
  otherwise: IN_DATABASE,
}

const DRIVER_IN_CONFIG = /^\s*'driver'\s*=>\s*(?:env\(\s*'SESSION_DRIVER',\s*)?'(\w+)'/

const DRIVER: AppSetting = {
  variable: 'SESSION_DRIVER',
  places: [
    dotenv('SESSION_DRIVER'),
    ['config/session.php', DRIVER_IN_CONFIG],
    ['app/config/session.php', DRIVER_IN_CONFIG],
  ],
}

const laravel: Rule = {
  id: 'laravel',
  name: 'Laravel',
  packages: ['laravel/framework'],
  files: [
    ['artisan', 'config/session.php'],
    ['artisan', 'app/config/session.php'],
  ],
  judgement: {
    setting: DRIVER,
    cases: [
      [/^(file|native)$/, IN_FILES],
      [/^(apc|array)$/, ownLocal('memory')],
      [/^database$/, DATABASE],
      [/^cookie$/, ownShared('encrypted cookies')],
      [/./, AS_NAMED],
    ],
    otherwise: { below: '11', older: IN_FILES, otherwise: DATABASE },
  },
  advice: [
    { since: '10', lacks: NEVER, place: PLACE, lines: laravelLines },
    // Older versions send no user name.
    { lacks: [...NEVER, 'user'], place: PLACE, lines: laravelLines },
    elsewhere(PLACE, 'SESSION_DRIVER=database'),
  ],
  environment: laravelEnvironment,
}

/** Laravel, after the products that are built with it and have settings of the same names. */
export const laravels: readonly Rule[] = [
  // Their packages have their own versions, and their skeletons still have the files driver.
  ...[
    { id: 'october', name: 'October CMS', packages: ['october/rain', 'october/system'] },
    { id: 'winter', name: 'Winter CMS', packages: ['winter/storm'] },
  ].map((product) => ({
    ...laravel,
    ...product,
    files: [],
    judgement: { ...(laravel.judgement as BySetting), otherwise: IN_FILES },
  })),
  laravel,
]

export const lumen: Rule = {
  id: 'lumen',
  name: 'Lumen',
  packages: ['laravel/lumen-framework'],
  files: [],
  judgement: {
    below: '5.2',
    older: { setting: DRIVER, cases: [[/^file$/, IN_FILES]], otherwise: AS_NAMED },
    otherwise: NO_SESSIONS,
  },
  advice: [elsewhere(PLACE, 'SESSION_DRIVER=database')],
}
