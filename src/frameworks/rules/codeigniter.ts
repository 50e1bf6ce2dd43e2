import type { StoreName } from '../../core/endpoint.ts'
import { NEVER, type Need } from '../bound.ts'
import {
  asNamedBy,
  type BySetting,
  elsewhere,
  type FrameworkAdvice,
  IN_DATABASE,
  inDirectoryOf,
  inFiles,
  mistakenBy,
  ownLocal,
  type Rule,
} from '../framework.ts'

const AS_NAMED = asNamedBy('session driver')

/** CodeIgniter up to 4.4 does not decode the save_path. Of its query it reads only the password, up to a symbol. */
const PLAIN: readonly Need[] = [...NEVER, 'TLS', 'user', 'symbols']

const CONFIG_3 = 'application/config/config.php'

/** It wins over the other: CodeIgniter 3 reads both. */
const OF_ENVIRONMENT_3 = 'application/config/{environment}/config.php'

const savePath3 = (store: StoreName, path: string, lacks: readonly Need[]): FrameworkAdvice => ({
  store,
  lacks,
  place: CONFIG_3,
  lines: () => [`$config['sess_driver'] = '${store}';`, `$config['sess_save_path'] = ${path};`],
})

const DRIVER_3: BySetting = {
  setting: inFiles(/^\s*\$config\['sess_driver'\]\s*=\s*['"](\w+)['"]/, OF_ENVIRONMENT_3, CONFIG_3),
  cases: [
    [/^database$/, IN_DATABASE],
    [/^(?!files$)/, AS_NAMED],
  ],
  otherwise: {
    setting: inFiles(/^\s*\$config\['sess_save_path'\]\s*=\s*([^;]*)/, OF_ENVIRONMENT_3, CONFIG_3),
    cases: [[/^(?!null|''|"").+/i, inDirectoryOf('sess_save_path')]],
    otherwise: mistakenBy('files driver'),
  },
}

export const codeigniter3: Rule = {
  id: 'codeigniter3',
  name: 'CodeIgniter',
  packages: ['codeigniter/framework'],
  files: [['system/core/CodeIgniter.php', CONFIG_3]],
  release: inFiles(/\bCI_VERSION'?\s*[=,]\s*'([0-9.]+)'/, 'system/core/CodeIgniter.php'),
  // CodeIgniter 2 has the same files but a different session library.
  judgement: { below: '3', older: undefined, otherwise: DRIVER_3 },
  advice: [
    savePath3('redis', "urldecode(ini_get('session.save_path'))", PLAIN),
    savePath3('memcached', "ini_get('session.save_path')", [...NEVER, 'SASL']),
    elsewhere(CONFIG_3, "$config['sess_driver'] = 'database';", "$config['sess_save_path'] = 'ci_sessions';"),
  ],
}

const CONFIG_4 = 'app/Config/Session.php'
const DRIVER_4 = String.raw`['"]?(?:\\?CodeIgniter\\+Session\\+Handlers\\+)?(\w+)Handler`

const handler4 = (name: string): string =>
  `public string $driver = \\CodeIgniter\\Session\\Handlers\\${name}Handler::class;`

const savePath4 = (path: string): string =>
  `public function __construct() { parent::__construct(); $this->savePath = ${path}; }`

const PATH_4 = "ini_get('session.save_path')"

const DRIVER: BySetting = {
  setting: {
    places: [
      ['.env', new RegExp(`^\\s*(?:session[._]driver|app\\.sessionDriver)\\s*=\\s*${DRIVER_4}`)],
      // What a boot file puts into the environment wins over the class.
      [
        'app/Config/Boot/{environment}.php',
        new RegExp(`session[._]driver['"]?\\s*(?:\\]\\s*)?=\\s*${DRIVER_4}`),
      ],
      [CONFIG_4, new RegExp(`^\\s*public\\s+(?:string\\s+)?\\$driver\\s*=\\s*${DRIVER_4}`)],
      [
        'app/Config/App.php',
        new RegExp(`^\\s*public\\s+(?:string\\s+)?\\$sessionDriver\\s*=\\s*${DRIVER_4}`),
      ],
    ],
  },
  cases: [
    [/^Database|DatabaseHandler$/, IN_DATABASE],
    [/^(?!.*File(Handler)?$)./, AS_NAMED],
  ],
  otherwise: ownLocal('files in writable/session'),
}

export const codeigniter4: Rule = {
  id: 'codeigniter4',
  name: 'CodeIgniter',
  packages: ['codeigniter4/framework', 'codeigniter4/codeigniter4'],
  files: [['spark', 'app/Config/App.php']],
  release: inFiles(/\bCI_VERSION\s*=\s*'([0-9.]+)'/, 'system/CodeIgniter.php'),
  judgement: { ...DRIVER, setting: { ...DRIVER.setting, variable: 'session_driver' } },
  advice: [
    {
      store: 'redis',
      since: '4.5',
      lacks: ['cluster', 'sentinel', 'certificate'],
      place: CONFIG_4,
      lines: () => [handler4('Redis'), savePath4(PATH_4)],
    },
    {
      store: 'redis',
      since: '4.3',
      lacks: PLAIN,
      place: CONFIG_4,
      lines: () => [handler4('Redis'), savePath4(`urldecode(${PATH_4})`)],
    },
    {
      store: 'memcached',
      only: '4.7.0',
      lacks: [...NEVER, 'SASL'],
      place: CONFIG_4,
      lines: () => [
        'first composer update codeigniter4/framework, as 4.7.0 itself says "No save path configured" with every Memcached (CodeIgniter4#9940); then',
        handler4('Memcached'),
        savePath4(PATH_4),
      ],
    },
    {
      store: 'memcached',
      since: '4.3',
      lacks: [...NEVER, 'SASL'],
      place: CONFIG_4,
      lines: () => [handler4('Memcached'), savePath4(PATH_4)],
    },
    {
      ...elsewhere(CONFIG_4, handler4('Database'), "public string $savePath = 'ci_sessions';"),
      since: '4.3',
    },
    elsewhere(
      '.env',
      "app.sessionDriver = 'CodeIgniter\\Session\\Handlers\\DatabaseHandler'",
      'app.sessionSavePath = ci_sessions',
    ),
  ],
}
