import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../processes/command.ts'
import { readIfThere, sidecarCommands } from './start-command.ts'

/** Unpacks a droplet into a directory that stands for /home/vcap. */
export async function unpackDroplet(droplet: string, directory: string): Promise<void> {
  const { status, log } = await runCommand({ file: 'tar', args: ['-xzf', droplet, '-C', directory] })
  if (status !== 0) throw new Error(`cannot unpack ${droplet}: ${log}`)
  for (const place of configurationDirectories(directory)) {
    for (const file of filesBelow(place)) relocate(file, directory)
  }
}

/** The start command that staging found. */
export function startCommand(directory: string): string {
  return JSON.parse(readFileSync(join(directory, 'staging_info.yml'), 'utf8')).start_command
}

/** The commands of the sidecars that buildpacks have declared. */
export function sidecars(directory: string): readonly string[] {
  const deps = join(directory, 'deps')
  const indexes = existsSync(deps) ? readdirSync(deps).sort() : []
  return indexes.flatMap((index) => sidecarCommands(readIfThere(deps, index, 'launch.yml')))
}

function configurationDirectories(directory: string): string[] {
  const deps = join(directory, 'deps')
  const indexes = existsSync(deps) ? readdirSync(deps) : []
  return [join(directory, 'app/nginx/conf'), ...indexes.map((index) => join(deps, index, 'php/etc'))]
}

function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

// php_buildpack 5 writes /home/vcap into its configuration at staging; the lab has another directory. Nothing else may
// depend on /home/vcap. latin1, because an ini file of the app may contain any bytes.
function relocate(file: string, directory: string): void {
  const text = readFileSync(file, 'latin1')
  const moved = text.replaceAll('/home/vcap/', `${directory}/`)
  if (moved !== text) writeFileSync(file, moved, 'latin1')
}
