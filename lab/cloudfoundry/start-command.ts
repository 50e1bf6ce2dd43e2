import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Finds the command of the `web` process in the process list of a buildpack or an app.
 *
 * It reads only the YAML that these lists consist of: `web: command` in a Procfile or a release, and the pairs of
 * `type` and `command` in a launch.yml.
 */
export function webCommand(yaml: string): string | undefined {
  const plain = /^[ \t]*web:[ \t]*(.+?)[ \t]*$/m.exec(yaml)
  const pair = /type:[ \t]*["']?web["']?[ \t]*\n[ \t]*command:[ \t]*(.+?)[ \t]*$/m.exec(yaml)
  return (plain ?? pair)?.[1]?.replace(/^(["'])(.*)\1$/, '$2')
}

/** Finds the commands in a launch.yml that run beside the `web` process; each must be in single quotes there. */
export function sidecarCommands(yaml: string): readonly string[] {
  return yaml
    .split(/^- /m)
    .filter((process) => /sidecar_for:[ \t]*\[[^\]]*["']?web["']?[^\]]*\]/.test(process))
    .flatMap(
      (process) => /^[ \t]*command:[ \t]*'(.*)'[ \t]*$/m.exec(process)?.[1]?.replaceAll("''", "'") ?? [],
    )
}

export function readIfThere(...path: string[]): string {
  const file = join(...path)
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}
