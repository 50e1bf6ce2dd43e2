import { DETECT_FAILED, FAILED, WRONG_USAGE } from '../../core/exit-status.ts'
import { type Finding, hasError } from '../../core/finding.ts'
import { oneLine } from '../../core/text.ts'
import { VERSION } from '../../core/version.ts'
import { type Host, listIfAllowed, readIfAllowed } from '../../host/host.ts'
import type { Plan } from '../../plan/plan.ts'
import { renderFindings } from '../../plan/report.ts'
import { stores } from '../../stores/index.ts'
import { describeServer, planWithoutPhp, type StagedPlan } from '../staging.ts'

/**
 * Cloud Native Buildpacks' detect step: passes for every PHP app, since a service may be bound at run time only.
 *
 * The build plan stays empty. The exec.d program runs after every buildpack has set its variables, so it does not
 * matter which buildpack brings PHP, under what name, or in which order.
 * https://github.com/buildpacks/spec/blob/main/buildpack.md#phase-1-detection
 */
export function cnbDetect(host: Host): number {
  if (isPhpApp(host)) return 0
  host.out('php-sessions: there is no composer.json and no PHP file here\n')
  return DETECT_FAILED
}

/**
 * Searches the possible web directories: the app's directory, its subdirectories, and the one in Paketo's variable.
 */
function isPhpApp(host: Host): boolean {
  const isPhp = (name: string) => name === 'composer.json' || name.endsWith('.php')
  const names = host.listDirectory('.')
  const directories = [host.env.BP_PHP_WEB_DIR || '.', ...names.map((name) => `./${name}`)]
  return (
    names.some(isPhp) ||
    directories.some((path) => host.isDirectory(path) && host.listDirectory(path).some(isPhp))
  )
}

/**
 * The build step: checks the binding if there is one already, says what will happen, and writes the launch layer.
 * The script that calls this puts the executable into the layer.
 *
 * Nothing secret is written. A binding that cannot work fails the build before anything is written.
 */
export function cnbBuild(host: Host): number {
  const { CNB_LAYERS_DIR: layers } = host.env
  if (!layers) {
    host.err('expected a lifecycle that sets CNB_LAYERS_DIR (buildpack API 0.10), got none\n')
    return WRONG_USAGE
  }
  const read = planWithoutPhp(host, '.')
  const exposed = findExposed(host, layers.replace(/\/[^/]*$/, ''))
  const findings = [...findingsAtBuild(read), ...exposed]
  host.out(`php-sessions ${VERSION}\n`)
  if (hasError(findings)) {
    host.err(renderFindings(findings))
    return FAILED
  }
  writeLayer(host, `${layers}/php-sessions`)
  host.out(
    describeBuild(read.plan, exposed.length > 0)
      .map((line) => `  ${oneLine(line)}\n`)
      .join(''),
  )
  host.err(renderFindings(findings))
  return 0
}

/** With nothing bound yet, the service that PHP_SESSIONS_SERVICE names may still be bound later. */
function findingsAtBuild({ plan, input }: StagedPlan): Plan['findings'] {
  return plan.findings.filter(({ id }) => id !== 'store.service' || input.bindings.length > 0)
}

const PAKETO_HANDLER = new RegExp(`(${stores.map(({ sessionType }) => sessionType).join('|')})-handler`)

/** Paketo's handlers write the password into a layer, wherever they take part. */
function findExposed(host: Host, layers: string): readonly Finding[] {
  const group = readIfAllowed(host, `${layers}/group.toml`) ?? ''
  // A lifecycle may hide the group.
  const built = listIfAllowed(host, layers).filter(
    (name) => listIfAllowed(host, `${layers}/${name}`).length > 0,
  )
  const [handler] = PAKETO_HANDLER.exec([group, ...built].join(' ')) ?? []
  const type = handler?.replace('-handler', '')
  if (type === undefined) return []
  return [
    {
      id: 'buildpack.secret',
      level: 'warn',
      title: `Paketo's ${handler} takes part in this build and writes the password into a layer of the image`,
      from: `a binding of type ${type} at build`,
      fix: `provide the binding only at launch, or give it the type ${type.split('-')[1]}`,
    },
  ]
}

function describeBuild({ planned, because }: Plan, isExposed: boolean): readonly string[] {
  const later = `Bindings are read at every launch${isExposed ? '' : ': nothing secret is in the image'}`
  if (planned === undefined) return [`No session store at build, because ${because}`, later]
  return [
    `Sessions: ${planned.store.title} service ${planned.service}, because ${because}`,
    `Server: ${describeServer(planned)}`,
    later,
  ]
}

function writeLayer(host: Host, layer: string): void {
  host.makeDirectory(`${layer}/exec.d`, 0o755)
  host.writeFile(`${layer}/exec.d/php-sessions`, EXEC_D, 0o755)
  host.writeFile(`${layer}.toml`, '[types]\nlaunch = true\nbuild = false\ncache = false\n', 0o644)
}

/**
 * The launcher runs this and reads variables from file descriptor 3. If that is not open, a person runs it.
 * https://github.com/buildpacks/spec/blob/main/buildpack.md#execd
 */
const EXEC_D = `#!/bin/sh
if { true >&3; } 2>/dev/null; then exec >&3; fi
exec "\${0%/*}/../bin/php-sessions" cnb-launch
`
