import { type Finding, hasError } from '../core/finding.ts'
import { DEFAULT_PHP } from '../core/php.ts'
import type { Host } from '../host/host.ts'
import { lookAround, lookInside } from '../php/look-around.ts'
import { type ReadPlan, readPlan } from '../php/read-plan.ts'
import type { Plan } from '../plan/plan.ts'
import { renderFindings } from '../plan/report.ts'
import { findBypass } from './bypass.ts'
import { findWorkers, WE_ARE, type Workers } from './container/workers.ts'
import { renderIniFile } from './ini-file.ts'
import { writeFiles } from './write-files.ts'

/**
 * Prints the ini with its secrets in clear, or writes it to a file that only its owner can read.
 *
 * What it names, such as certificates, goes beside that file; without one it is not written, and a warning says so.
 */
export function ini(host: Host, appDirectory: string, phpMajor: number, output: string | undefined): number {
  const parent = parentOf(output ?? `${host.env.TMPDIR ?? '/tmp'}/php-sessions/-`)
  // PHP must find what the ini names from wherever it runs.
  const directory = host.realPath(parent) ?? parent
  const php = { ...DEFAULT_PHP, major: phpMajor, runsManaged: phpMajor >= DEFAULT_PHP.major }
  const read = readPlan(host, appDirectory, { php, directory })
  const { plan, workers, findings: more } = complete(host, appDirectory, read, output)
  const findings = [...plan.findings, ...more, ...(output === undefined ? unwritten(plan, directory) : [])]
  host.err(renderFindings(findings))
  if (hasError(findings)) return 1
  const text = renderIniFile(plan, [])
  if (output === undefined) {
    host.out(text)
  } else {
    writeFiles(host, plan.files, workers.owner)
    host.writeFile(output, text, 0o600)
  }
  return 0
}

/** The managed handler takes the place of a file that only PHP's own ini files name. */
function complete(host: Host, app: string, read: ReadPlan, output: string | undefined) {
  if (read.plan.planned?.handler !== 'managed' || output === undefined)
    return { plan: lookAround(host, read, ['php']), workers: WE_ARE, findings: [] }
  const isLater = (path: string) => parentOf(path) === read.input.directory && nameOf(path) > nameOf(output)
  const { plan, laterPrepend, version = '' } = lookInside(host, read, ['php'], isLater)
  const workers = findReaders(host, plan, version)
  return { plan, workers, findings: [...findBypass(host, app, plan, laterPrepend), ...workers.findings] }
}

/** Those of the php-fpm of this version, which is what settings in a file are for. */
function findReaders(host: Host, plan: Plan, version: string): Workers {
  const found = [`php-fpm${version}`, 'php-fpm'].map((name) => findWorkers(host, [name], plan))
  const known = found.find(({ findings }) => !hasError(findings))
  if (known !== undefined) return known
  const path = plan.files.at(-1)?.path ?? ''
  return {
    owner: undefined,
    findings: [
      {
        id: 'ini.workers',
        level: 'warn',
        title: "only root can read the credentials, as no php-fpm here tells the user of PHP's workers",
        from: path,
        fix: `give it to that user: chown www-data ${path}`,
      },
    ],
  }
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash === -1 ? '.' : path.slice(0, slash)
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** A handler that is not where PHP looks for it would end every page, or be whatever somebody has put there. */
function unwritten({ planned, files }: Plan, directory: string): readonly Finding[] {
  if (files.length === 0) return []
  return [
    {
      id: 'ini.files',
      level: planned?.handler === 'managed' ? 'error' : 'warn',
      title: 'these settings name files that are not written anywhere',
      from: directory,
      fix: 'php-sessions ini --output FILE writes them beside FILE',
    },
  ]
}
