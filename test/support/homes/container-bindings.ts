import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { container } from './container.ts'

export function withBindings(entries: Readonly<Record<string, string>>) {
  const bound = container()
  const root = join(bound.directory, 'bindings')
  const add = (name: string, files: Readonly<Record<string, string>>) => {
    mkdirSync(join(root, name), { recursive: true })
    for (const [file, text] of Object.entries(files)) writeFileSync(join(root, name, file), text)
  }
  add('sessions', { type: 'redis', host: '127.0.0.1', port: '1', password: 'p4ssword', ...entries })
  return { ...bound, env: { ...bound.env, SERVICE_BINDING_ROOT: root }, root, add }
}
