import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import type { Environment } from '../cloudfoundry/lifecycle.ts'
import type { Launcher } from './instances.ts'

/** Prints what the exec.d programs have printed, then becomes the command, or ends. */
const CONTINUE = `printf %s "$0" >&2; exec "$@"`
const END = `printf %s "$0" >&2; exit "$1"`

/**
 * Launches as the real launcher does: it sets the variables of all layers, then runs all exec.d programs, each of which
 * gets the variables of the programs before it.
 *
 * https://github.com/buildpacks/spec/blob/main/buildpack.md#launch
 */
export const launcher: Launcher = ({ app, layers }, command, given) => {
  const launched = launchLayers(layers)
  let env = launched.reduce(applyLayer, given)
  let printed = ''
  for (const layer of launched) {
    for (const program of filesIn(join(layer, 'exec.d'))) {
      const { status, output } = spawnSync(program, {
        cwd: app,
        env,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      })
      const [, stdout = '', stderr = '', variables = ''] = output ?? []
      printed += `${stdout}${stderr}`
      if (status !== 0)
        return { file: 'sh', args: ['-c', END, `${printed}exec.d: exit status ${status}\n`, '1'] }
      env = { ...env, ...(parse(variables ?? '') as Record<string, string>) }
    }
  }
  return { file: 'sh', args: ['-c', CONTINUE, printed, ...command], cwd: app, env }
}

/** The layers for launch, in the order of the buildpacks in the build, which the builder has written down. */
function launchLayers(layers: string): readonly string[] {
  const { buildpacks } = readToml(join(layers, 'config/metadata.toml')) as { buildpacks: { id: string }[] }
  return buildpacks
    .flatMap(({ id }) => filesIn(join(layers, escapeId(id))))
    .filter((path) => path.endsWith('.toml') && isForLaunch(readToml(path)))
    .map((path) => path.slice(0, -'.toml'.length))
}

function isForLaunch({ types }: { types?: { launch?: boolean } }): boolean {
  return types?.launch === true
}

function readToml(path: string): object {
  return parse(readFileSync(path, 'utf8'))
}

/** A buildpack's id as the name of a directory. */
export function escapeId(id: string): string {
  return id.replaceAll('/', '_')
}

/** Adds `bin` to PATH, and sets the variables that files contain; the endings of their names say how. */
function applyLayer(env: Environment, layer: string): Environment {
  const bin = join(layer, 'bin')
  const changed: Record<string, string | undefined> = { ...env }
  if (existsSync(bin)) changed.PATH = [bin, env.PATH].filter(Boolean).join(':')
  for (const directory of ['env', 'env.launch'].map((name) => join(layer, name)))
    for (const path of filesIn(directory)) {
      const [name = '', action] = path.slice(directory.length + 1).split('.')
      const value = readFileSync(path, 'utf8')
      const delimiter = join(directory, `${name}.delim`)
      const between = existsSync(delimiter) ? readFileSync(delimiter, 'utf8') : ''
      const before = changed[name]
      if (action === 'append') changed[name] = before ? before + between + value : value
      if (action === 'prepend') changed[name] = before ? value + between + before : value
      if (action === 'default') changed[name] = before ?? value
      if (action === undefined || action === 'override') changed[name] = value
    }
  return changed
}

function filesIn(directory: string): readonly string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .sort()
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
}
