import type { Finding } from '../../core/finding.ts'
import type { Host } from '../../host/host.ts'
import { type PhpStart, startOf } from '../../php/ask.ts'
import type { CompletePlan } from '../../php/complete.ts'
import type { Advice, Home } from '../home.ts'
import { checkExtension, phpToScan } from '../own-directory.ts'

/** An image of Cloud Native Buildpacks, with the files of a plan in this directory; `php` serves the app. */
export function cnbHome(host: Host, app: string, filesDirectory: string, php = startOf()): Home {
  return {
    host,
    appDirectory: app,
    php: phpToScan(host, app, php),
    filesDirectory,
    setsVariables: true,
    advice: ADVICE,
    check: (completed) => ({ findings: checkPhp(completed, php), group: undefined }),
  }
}

const ADVICE: Advice = {
  isManual: false,
  writeSettings: () =>
    'start the container again: the settings are written at every launch of the image, for its processes only',
  getExtension: (name) =>
    `choose a PHP version for which its buildpack has ${name}: BP_PHP_VERSION, or composer.json`,
}

function checkPhp(completed: CompletePlan, php: PhpStart): readonly Finding[] {
  if (completed.plan.planned !== undefined && completed.facts === undefined)
    return [
      {
        id: 'php.missing',
        level: 'error',
        title: 'no PHP in this image answers',
        from: 'php in PATH',
        fix: 'build the image with a buildpack for PHP, too, such as paketo-buildpacks/php',
      },
    ]
  return checkExtension(completed, php, (name) => ADVICE.getExtension(name, ''))
}
