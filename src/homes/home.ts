import { type Finding, hasError } from '../core/finding.ts'
import type { Input } from '../core/input.ts'
import type { Host } from '../host/host.ts'
import { rememberSearches } from '../host/remember.ts'
import { type CompletePlan, completePlan, type TargetPhp } from '../php/complete.ts'
import { readLayers } from '../php/layers.ts'
import { KEEPING_SETTINGS, type Patience } from '../php/look-around.ts'
import { chooseEndpoint, planFiles } from '../plan/plan.ts'
import { readInput } from '../platforms/input.ts'
import { type FrameworkPlan, planFramework } from './framework.ts'
import { findHanging } from './hanging.ts'
import { findKept, findOverridden, type Kept } from './kept.ts'
import { findObstacles, neededBy } from './obstacles.ts'

/** Advice for users of a home, as the end of a message's fix. */
export interface Advice {
  /** Whether users write the settings themselves, into a file that they name. */
  readonly isManual: boolean
  /** How PHP gets the present settings; `iniFile` is where a manual one would be. */
  writeSettings(iniFile: string, isFpm: boolean): string
  /** Where an extension comes from; `phpVersion` is e.g. `8.2`, or empty. */
  getExtension(name: string, phpVersion: string): string
}

/** A place where php-sessions runs: whose PHP it configures there, where the ini goes, and how PHP is told of it. */
export interface Home {
  /** Runs PHP without the settings of php-sessions. */
  readonly host: Host
  readonly appDirectory: string
  readonly php: TargetPhp
  /** Where the files go that the ini names, an absolute path. */
  readonly filesDirectory: string
  /** Whether a start sets the variables of a framework where the user has not decided. */
  readonly setsVariables: boolean
  readonly advice: Advice
  /** Finds the faults of this home's PHP for a plan, and who reads the secrets. */
  check(completed: CompletePlan): PhpCheck
}

/** What a home finds out about its PHP. */
export interface PhpCheck {
  readonly findings: readonly Finding[]
  /** The number of the group that reads the files with secrets; undefined where only the user of php-sessions does. */
  readonly group: number | undefined
  /** Whether that group reads the ini, too, because PHP as a whole runs as another user. */
  readonly readsIni?: boolean
}

/** What a start is going to do, and its faults. */
export interface Prepared extends CompletePlan {
  readonly input: Input
  readonly group: PhpCheck['group']
  readonly readsIni: boolean
  readonly framework: FrameworkPlan
  /** Where the pages of the app will really keep their sessions. */
  readonly kept: readonly Kept[]
  /** The same without the settings of php-sessions. */
  readonly keptWithout: readonly Kept[]
  /** The pools of php-fpm that never end a request, which a start says in one line. */
  readonly hanging: readonly Finding[]
  /** Those of the plan first. */
  readonly findings: readonly Finding[]
}

/** A failover may be under way; Cloud Foundry gives a start a minute. */
const AT_START: Patience = { all: 15, each: 2 }

/** Reads what is bound and plans for it in a home, with the files of the plan in `directory`. Writes nothing. */
export function prepare(home: Home, patience = AT_START, directory: string = home.filesDirectory): Prepared {
  const { appDirectory, setsVariables } = home
  const host = rememberSearches(home.host)
  const input = readInput(host, appDirectory)
  const completed = completePlan(
    host,
    chooseEndpoint(input),
    home.php,
    directory,
    patience,
    (chosen, choice, known) =>
      findObstacles(host, appDirectory, home.php, directory, neededBy(chosen, choice), known),
  )
  // What is wrong with the rest does not matter where the plan cannot be used.
  const isUsable = !hasError(completed.plan.findings)
  const plan = isUsable ? completed.plan : planFiles(completed.plan.because, completed.plan.findings)
  const judged = { ...completed, plan }
  const { findings, group, readsIni = false } = home.check(judged)
  const framework = planFramework(host, appDirectory, plan, input.options, setsVariables)
  // With the managed handler an obstacle has already named the line.
  const isNamed = ({ from }: Finding) => plan.findings.some((other) => other.from === from)
  const layers = readLayers(host, appDirectory, home.php, completed, KEEPING_SETTINGS)
  const kept = findKept(plan, layers)
  const overridden = findOverridden(plan, kept).filter(
    (finding) => finding.level === 'error' || !isNamed(finding),
  )
  return {
    ...completed,
    input,
    group,
    readsIni,
    framework,
    kept,
    keptWithout: findKept(planFiles(plan.because, []), layers),
    hanging: findHanging(judged),
    findings: [...plan.findings, ...findings, ...overridden, ...framework.findings],
  }
}
