import { FAILED } from '../../core/exit-status.ts'
import { type Finding, hasError } from '../../core/finding.ts'
import type { Host } from '../../host/host.ts'
import { apacheModuleOf, findServingApache } from '../../php/web/apache-module.ts'
import type { Plan } from '../../plan/plan.ts'
import { renderFindings } from '../../plan/report.ts'
import { phpOf } from '../container/php-of.ts'
import { findStarted } from '../container/started.ts'
import { renderHanging } from '../hanging.ts'
import { prepare } from '../home.ts'
import { renderIniFile } from '../ini-file.ts'
import { writeFiles } from '../write-files.ts'
import { type MachineOptions, machineHome, parentOf } from './home.ts'

/** The user's flags for `ini`. */
export interface IniOptions {
  readonly app: string
  /** The version of the PHP that will read the settings; undefined for that of the PHP that is found. */
  readonly version: string | undefined
  readonly output: string | undefined
}

/**
 * Prints the ini with its secrets in clear, or writes it to a file that only its owner can read.
 *
 * Files that it names, such as certificates, go next to that file; without one, settings that name files are
 * refused.
 */
export function ini(host: Host, { app, version, output }: IniOptions): number {
  const parent = parentOf(output ?? `${host.env.TMPDIR ?? '/tmp'}/php-sessions/-`)
  // PHP must find the files of the ini from any directory.
  const filesDirectory = host.realPath(parent) ?? parent
  const name = output?.slice(output.lastIndexOf('/') + 1)
  const written = name === undefined ? undefined : `${filesDirectory}/${name}`
  const reader = findReader(host, filesDirectory)
  const home = machineHome(host, {
    app,
    filesDirectory,
    ...reader,
    version: version ?? reader.version,
    output: written,
  })
  const { plan, group, hanging, findings: found } = prepare(home)
  const findings = [...found, ...(output === undefined ? unwritten(plan, filesDirectory) : [])]
  host.err(renderFindings(findings))
  if (hasError(findings)) return FAILED
  host.err(renderHanging(hanging))
  const text = renderIniFile(plan)
  if (output === undefined) {
    host.out(text)
  } else {
    writeFiles(host, plan.files, group)
    host.writeFile(output, text, 0o600)
  }
  return 0
}

/** Debian has the ini files of each PHP below its version and the name of its SAPI. */
const OF_DEBIAN = /^\/etc\/php\/([0-9.]+)\/([a-z0-9]+)\//

/** The PHP that reads the ini files of a directory; where its path does not say, PHP in Apache or the one in PATH. */
function findReader(host: Host, directory: string): Pick<MachineOptions, 'php' | 'fpm' | 'version'> {
  const [, version, sapi] = OF_DEBIAN.exec(`${directory}/`) ?? []
  const apache =
    version === undefined
      ? findServingApache(host)
      : sapi === 'apache2'
        ? apacheModuleOf(host, version)
        : undefined
  if (apache !== undefined) return { php: apache, fpm: [], version }
  if (version === undefined) return {}
  const server = sapi === 'fpm' ? [`php-fpm${version}`] : []
  const program = server[0] ?? `php${version}`
  return { php: phpOf(host, findStarted(host, [program])), fpm: server, version }
}

/** PHP would trust certificates, or run code, that somebody else puts at these paths. */
function unwritten({ files }: Plan, directory: string): readonly Finding[] {
  if (files.length === 0) return []
  return [
    {
      id: 'ini.files',
      level: 'error',
      title: 'these settings name files that are not written anywhere',
      from: directory,
      fix: 'php-sessions ini --output FILE writes them beside FILE',
    },
  ]
}
