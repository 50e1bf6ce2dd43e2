import { words } from '../../core/text.ts'
import { type Host, readIfAllowed } from '../../host/host.ts'
import type { SettingLine } from '../answers.ts'
import { findApacheSettings, type ServerFile } from './apache.ts'

/** Where web servers have their configuration; the last ones are those of php_buildpack and Paketo, below the app. */
const PLACES = words('/etc/nginx /usr/local/nginx/conf /etc/apache2 /etc/httpd /usr/local/apache2/conf')
const PLACES_OF_APPS = words(
  'nginx/conf httpd/conf .bp-config/nginx .bp-config/httpd .nginx.conf.d .php.nginx.conf.d .httpd.conf.d',
)

/** A setting that a web server gives to PHP for some of its pages. */
export interface ServedSetting extends SettingLine {
  /** Whether neither the app nor a pool can change it. */
  readonly isAdmin: boolean
}

/** Which PHP answers: php-fpm behind a web server, another one, or an unknown one. */
export type Served = 'fpm' | 'other' | 'unknown'

/** Finds what nginx and Apache set for PHP: in the requests that they pass to php-fpm, or for PHP as Apache's module. */
export function findServerSettings(
  host: Host,
  appDirectory: string,
  names: readonly string[],
  served: Served,
): readonly ServedSetting[] {
  const files = findFiles(host, appDirectory)
  return [
    ...(served === 'other' ? [] : files.flatMap((file) => findPassed(file, names))),
    ...(served === 'fpm' ? [] : findApacheSettings(files, names)),
  ]
}

/** The files in use that may have such settings. */
function findFiles(host: Host, appDirectory: string): readonly ServerFile[] {
  const found = host.findFiles([...PLACES, ...PLACES_OF_APPS.map((place) => `${appDirectory}/${place}`)], {
    names: ['*'],
    without: ['*-available'],
    deepest: 4,
    followsLinks: true,
    largest: 256 << 10,
    words: words('PHP_VALUE PHP_ADMIN_VALUE PHP_FLAG PHP_ADMIN_FLAG LoadModule'),
  })
  return found
    .filter((path) => !UNUSED.test(path))
    .toSorted()
    .map((path) => ({ path, text: readIfAllowed(host, path) ?? '' }))
}

/** What editors, packages and people put behind the name of a file that nothing is to read. */
const UNUSED = /(~|\.(bak|orig|default|disabled|off|sample|example|save|dpkg-[a-z]*|rpm[a-z]*))$/

/** A parameter of a request: nginx' `fastcgi_param`, or a variable of Apache that it passes to php-fpm. */
const PASSED =
  /^[ \t]*(?:fastcgi_param|SetEnv|ProxyFCGISetEnvIf\s+"[^"]*")\s+"?PHP_(ADMIN_)?VALUE"?\s+(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^;\s]+))/gim

function findPassed({ path, text }: ServerFile, names: readonly string[]): readonly ServedSetting[] {
  return [...text.matchAll(PASSED)].flatMap((match) => {
    const [, admin, double, single, bare = ''] = match
    const written =
      double?.replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character)) ?? single ?? bare
    const start = text.slice(0, match.index).split('\n').length
    const isBroken = (double ?? single ?? '').includes('\n')
    return written.split('\n').flatMap((line, i): readonly ServedSetting[] => {
      const [, name = '', value = ''] = /^\s*([\w.]+)\s*=\s*"?(.*?)"?\s*;?\s*$/.exec(line) ?? []
      if (!names.includes(name)) return []
      return [{ name, value, from: `${path}:${start + (isBroken ? i : 0)}`, isAdmin: admin !== undefined }]
    })
  })
}
