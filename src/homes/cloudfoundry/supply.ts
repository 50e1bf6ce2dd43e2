import { FAILED } from '../../core/exit-status.ts'
import { type Finding, hasError } from '../../core/finding.ts'
import type { Input } from '../../core/input.ts'
import { oneLine } from '../../core/text.ts'
import { VERSION } from '../../core/version.ts'
import type { Host } from '../../host/host.ts'
import type { Plan } from '../../plan/plan.ts'
import { renderFindings } from '../../plan/report.ts'
import { PUSH_IN_ORDER } from '../../platforms/cloudfoundry.ts'
import { readOptionsFile } from '../../platforms/input.ts'
import { stores } from '../../stores/index.ts'
import { describeServer, planWithoutPhp } from '../staging.ts'

/**
 * Cloud Foundry's supply step: checks the binding, says what will happen, and installs the launch step.
 *
 * `index` is the index of php-sessions in the deps directory. Nothing secret is written. A binding that cannot work
 * fails the staging before anything is written.
 * https://docs.cloudfoundry.org/buildpacks/understand-buildpacks.html#supply-script
 */
export function supply(host: Host, buildDirectory: string, depsDirectory: string, index: string): number {
  const { plan, input } = planWithoutPhp(host, buildDirectory)
  const isWatched = input.options.PHP_SESSIONS_WATCH
  host.out(`-----> php-sessions ${VERSION}\n`)
  if (hasError(plan.findings)) {
    host.err(renderFindings(plan.findings))
    return FAILED
  }
  const exposed = findExposed(host, buildDirectory, input)
  const findings = [...plan.findings, ...exposed]
  const directory = `${depsDirectory}/${index}`
  installLaunch(host, buildDirectory, directory, index)
  if (isWatched) host.writeFile(`${directory}/launch.yml`, sidecar(index), 0o644)
  host.out(
    [...describeStaging(plan, exposed.length > 0), ...(isWatched ? [WATCHED] : [])]
      .map((line) => `       ${oneLine(line)}\n`)
      .join(''),
  )
  host.err(renderFindings(findings))
  return 0
}

/** Runs only if the user lists this buildpack last, where the buildpack that starts the app must be. */
export function finalize(host: Host): number {
  host.err(
    renderFindings([
      {
        id: 'buildpack.order',
        level: 'error',
        title:
          'php-sessions is the last buildpack, but it cannot start an app: a buildpack that serves PHP must come last',
        from: 'the order of the buildpacks of this app',
        fix: PUSH_IN_ORDER,
      },
    ]),
  )
  return FAILED
}

const WATCHED =
  'PHP_SESSIONS_WATCH is on: a sidecar follows new credentials in files and a new Sentinel master, without a restart.'

function describeStaging({ planned, because }: Plan, isExposed: boolean): readonly string[] {
  if (planned === undefined)
    return [
      `Sessions stay in local files, because ${because}.`,
      'To keep them across restarts and instances, bind such a service, then run cf restart.',
    ]
  return [
    `Sessions: ${planned.store.title} service ${planned.service}, because ${because}.`,
    `Server: ${describeServer(planned)}.`,
    `Every start reads what is bound then, and gives PHP the extension ${planned.store.name} and the session settings.`,
    `New credentials need a restart but no restage.${isExposed ? '' : ' Nothing secret is in the droplet.'}`,
  ]
}

const SEARCH_KEYS = stores.map(({ searchKey }) => searchKey)

/** php_buildpack 4 prefers the search words in options.json to those that keep it away from the credentials. */
function findExposed(host: Host, buildDirectory: string, { bindings }: Input): readonly Finding[] {
  const { value, from } = readOptionsFile(host, `${buildDirectory}/.bp-config/options.json`)
  return SEARCH_KEYS.flatMap((key): readonly Finding[] => {
    const word = value[key]
    const found = bindings.find(({ name }) => typeof word === 'string' && name.includes(word))
    if (found === undefined) return []
    return [
      {
        id: 'buildpack.secret',
        level: 'warn',
        title: `php_buildpack 4 finds ${found.name} by the search word ${word} and writes its password into the droplet; php_buildpack 5 does not`,
        from: `${from} ${key}`,
        fix: `remove that key there, and run cf set-env APP ${key} ${word}`,
      },
    ]
  })
}

function installLaunch(host: Host, buildDirectory: string, directory: string, index: string): void {
  const scratch = `${host.env.TMPDIR ?? '/tmp'}/php-sessions-scratch`
  for (const path of [`${directory}/profile.d`, `${directory}/env`, `${scratch}/php/etc`])
    host.makeDirectory(path, 0o755)
  host.writeFile(`${directory}/config.yml`, `name: php-sessions\nversion: ${VERSION}\nconfig: {}\n`, 0o644)
  host.writeFile(`${directory}/profile.d/php-sessions.sh`, profileScript(index), 0o644)
  for (const [name, value] of Object.entries(stagingVariables(buildDirectory, scratch)))
    host.writeFile(`${directory}/env/${name}`, value, 0o644)
  for (const name of ['php.ini', 'php-fpm.conf']) host.writeFile(`${scratch}/php/etc/${name}`, '', 0o644)
}

/**
 * The variables that keep php_buildpack's own session extension away from the credentials.
 *
 * Versions 5.0 and 5.1 edit $BUILD_DIR/php/etc/php.ini. Nobody sets that variable, so the staging fails
 * (cloudfoundry/php-buildpack#1291): here they get an empty file outside of the droplet to edit. Version 4 would write
 * the password into the droplet: here it gets a search key that finds nothing. Version 4 also copies these variables
 * over its own BUILD_DIR, so one of them restores the true value.
 */
function stagingVariables(buildDirectory: string, scratch: string): Readonly<Record<string, string>> {
  const nothing = 'sessions-are-configured-by-php-sessions'
  return {
    BUILD_DIR: scratch,
    ...Object.fromEntries(SEARCH_KEYS.map((key) => [key, nothing])),
    ZZ_PHP_SESSIONS: `restore BUILD_DIR=${buildDirectory}`,
  }
}

/**
 * The launcher sources this script at every start, task and `cf ssh`; php_buildpack 5 sources it again under `set
 * -e`. In a terminal a failure is only shown, because somebody is there to find its cause.
 */
function profileScript(index: string): string {
  return `if php_sessions_exports=$("$DEPS_DIR/${index}/bin/php-sessions" launch); then
  eval "$php_sessions_exports"
elif [ ! -t 0 ]; then
  exit 1
fi
unset php_sessions_exports
`
}

/**
 * Runs `watch` beside the web process, in a loop, because the container fails when a sidecar ends.
 * https://docs.cloudfoundry.org/buildpacks/sidecar-buildpacks.html
 */
function sidecar(index: string): string {
  return `---
processes:
- type: php-sessions-watch
  command: 'while :; do "$DEPS_DIR/${index}/bin/php-sessions" watch; sleep 1; done'
  limits:
    memory: 32
  platforms:
    cloudfoundry:
      sidecar_for: [ "web" ]
`
}
