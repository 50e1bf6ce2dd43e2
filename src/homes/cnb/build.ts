import { hasError } from '../../core/finding.ts'
import { oneLine } from '../../core/text.ts'
import { VERSION } from '../../core/version.ts'
import type { Host } from '../../host/host.ts'
import type { Plan } from '../../plan/plan.ts'
import { renderFindings } from '../../plan/report.ts'
import { describeServer, planWithoutPhp, type StagedPlan } from '../staging.ts'

/** What tells the lifecycle that this buildpack is not for the app, and that nothing is wrong. */
const DETECT_FAILED = 100

/**
 * Cloud Native Buildpacks' detect step: passes for every PHP app, since a service may be bound at run time only.
 *
 * The build plan stays empty. The exec.d program runs after the variables of all buildpacks are set, so it does not
 * matter which of them brings PHP, under what name, and where in the order.
 * https://github.com/buildpacks/spec/blob/main/buildpack.md#phase-1-detection
 */
export function cnbDetect(host: Host): number {
  if (isPhpApp(host)) return 0
  host.out('php-sessions: there is no composer.json and no PHP file here\n')
  return DETECT_FAILED
}

/** Looks at the app's own directory, those in it, and that of Paketo's variable: where a web directory may be. */
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
 * The build step: checks the binding where one is there already, says what will happen, and writes the launch layer.
 * The script that calls this puts the executable into it.
 *
 * Nothing secret is written; a binding that cannot work fails the build before anything is.
 */
export function cnbBuild(host: Host): number {
  const read = planWithoutPhp(host, '.')
  const findings = findingsAtBuild(read)
  host.out(`php-sessions ${VERSION}\n`)
  if (hasError(findings)) {
    host.err(renderFindings(findings))
    return 1
  }
  writeLayer(host, `${host.env.CNB_LAYERS_DIR ?? ''}/php-sessions`)
  host.out(
    describe(read.plan)
      .map((line) => `  ${oneLine(line)}\n`)
      .join(''),
  )
  host.err(renderFindings(findings))
  return 0
}

/** With nothing bound yet, a service that the app's settings name may still come. */
function findingsAtBuild({ plan, input }: StagedPlan): Plan['findings'] {
  return plan.findings.filter(({ id }) => id !== 'store.service' || input.bindings.length > 0)
}

function describe({ planned, because }: Plan): readonly string[] {
  const later = 'Bindings are read at every launch: nothing secret is in the image'
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
 * Run by the launcher, which reads variables from file descriptor 3. Where that is not open, a person runs it.
 * https://github.com/buildpacks/spec/blob/main/buildpack.md#execd
 */
const EXEC_D = `#!/bin/sh
if { true >&3; } 2>/dev/null; then exec >&3; fi
exec "\${0%/*}/../bin/php-sessions" cnb-launch
`
