import { FAILED } from '../../core/exit-status.ts'
import { type Finding, hasError } from '../../core/finding.ts'
import type { Host } from '../../host/host.ts'
import type { Plan } from '../../plan/plan.ts'
import { renderFindings } from '../../plan/report.ts'
import { renderHanging } from '../hanging.ts'
import { prepare } from '../home.ts'
import { renderIniFile } from '../ini-file.ts'
import { writeFiles } from '../write-files.ts'
import { machineHome, parentOf } from './home.ts'

/** The user's flags for `ini`. */
export interface IniOptions {
  readonly app: string
  /** The version of the PHP that will read the settings; undefined for that of php in PATH. */
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
  const home = machineHome(host, { app, filesDirectory, version, output: written })
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
