import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { container } from './container.ts'

type Entries = Readonly<Record<string, string | number>>

/** A container with a directory of bindings, as Kubernetes mounts secrets: a change replaces a link. */
export function withBindings(env: Readonly<Record<string, string>> = {}) {
  const bound = container(env)
  const root = join(bound.directory, 'bindings')
  const sessions = join(root, 'sessions')
  let version = 0
  mkdirSync(root)
  const write = (entries: Entries) => {
    const name = `..${version++}`
    mkdirSync(join(sessions, name), { recursive: true })
    for (const [entry, value] of Object.entries(entries)) {
      writeFileSync(join(sessions, name, entry), String(value))
      rmSync(join(sessions, entry), { force: true })
      symlinkSync(join('..data', entry), join(sessions, entry))
    }
    symlinkSync(name, join(sessions, '..new'))
    renameSync(join(sessions, '..new'), join(sessions, '..data'))
  }
  return { ...bound, env: { ...bound.env, SERVICE_BINDING_ROOT: root }, root, sessions, write }
}
