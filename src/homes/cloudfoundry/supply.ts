import { hasError } from '../../core/finding.ts'
import { oneLine } from '../../core/text.ts'
import { VERSION } from '../../core/version.ts'
import type { Host } from '../../host/host.ts'
import type { Plan } from '../../plan/plan.ts'
import { renderFindings } from '../../plan/report.ts'
import { PUSH_IN_ORDER } from '../../platforms/cloudfoundry.ts'
import { describeServer, planWithoutPhp } from '../staging.ts'

/**
 * Cloud Foundry's supply step: checks the binding, says what will happen, and installs the launch step.
 *
 * Arguments: build, cache, deps directory and the index of ours in it. Nothing secret is written; a binding
 * that cannot work fails the staging before anything is.
 * https://docs.cloudfoundry.org/buildpacks/understand-buildpacks.html#supply-script
 */
export function supply(host: Host, buildDirectory: string, depsDirectory: string, index: string): number {
  const { plan, input } = planWithoutPhp(host, buildDirectory)
  const isWatched = input.options.PHP_SESSIONS_WATCH
  host.out(`-----> php-sessions ${VERSION}\n`)
  if (hasError(plan.findings)) {
    host.err(renderFindings(plan.findings))
    return 1
  }
  const directory = `${depsDirectory}/${index}`
  installLaunch(host, buildDirectory, directory, index)
  if (isWatched) host.writeFile(`${directory}/launch.yml`, sidecar(index), 0o644)
  host.out(
    [...describe(plan), ...(isWatched ? [WATCHED] : [])].map((line) => `       ${oneLine(line)}\n`).join(''),
  )
  host.err(renderFindings(plan.findings))
  return 0
}

/** Runs when the user lists this buildpack last, where the one that starts the app must be. */
export function finalize(host: Host): number {
  host.err(
    renderFindings([
      {
        id: 'buildpack.order',
        level: 'error',
        title: 'php-sessions is the last buildpack, but it only supplies one that serves PHP',
        from: 'the order of the buildpacks of this app',
        fix: PUSH_IN_ORDER,
      },
    ]),
  )
  return 1
}

const WATCHED =
  'PHP_SESSIONS_WATCH is on: a sidecar follows new credentials in files and a new Sentinel master without a restart.'

function describe({ planned, because }: Plan): readonly string[] {
  if (planned === undefined)
    return [
      `Sessions stay in local files, because ${because}.`,
      'To keep them through restarts and on several instances: bind such a service, then cf restart.',
    ]
  return [
    `Sessions: ${planned.store.title} service ${planned.service}, because ${because}.`,
    `Server: ${describeServer(planned)}.`,
    `At every start PHP gets the extension ${planned.store.name} and the settings for sessions from what is bound then:`,
    'new credentials need a restart, no restage. Nothing secret is in the droplet.',
  ]
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
 * Version 5.0 to 5.1 edits $BUILD_DIR/php/etc/php.ini, a variable that nobody sets, and fails the staging
 * (cloudfoundry/php-buildpack#1291): it gets an empty file outside of the droplet to edit. Version 4 would
 * write the password into the droplet: it gets a search key that finds nothing. And because version 4 takes
 * these variables over word by word after its own BUILD_DIR, one of them gives the true one back.
 */
function stagingVariables(buildDirectory: string, scratch: string): Readonly<Record<string, string>> {
  const nothing = 'sessions-are-configured-by-php-sessions'
  return {
    BUILD_DIR: scratch,
    MEMCACHED_SESSION_STORE_SERVICE_NAME: nothing,
    REDIS_SESSION_STORE_SERVICE_NAME: nothing,
    ZZ_PHP_SESSIONS: `restore BUILD_DIR=${buildDirectory}`,
  }
}

/**
 * Sourced by the launcher at every start, task and `cf ssh`, and by php_buildpack 5 a second time under
 * `set -e`. In a terminal a failure is only shown: somebody is there to look for its cause.
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
 * Runs `watch` beside the web process. The container fails when a sidecar ends, hence the loop.
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
