import { expect } from 'vitest'
import type { FakeHost } from '../host/fake-host.ts'

export const HANDLER = 'php-sessions-handler.php'
export const STORE = 'php-sessions-store.php'
export const PHP_8_1 = 'no-debug-non-zts-20210902'

/** The files of ours in a directory, with their modes; each is what its name says. */
export function written({ files, modes }: Pick<FakeHost, 'files' | 'modes'>, directory: string) {
  expect(files.get(`${directory}/${HANDLER}`) ?? '<?php').toMatch(/^<\?php/)
  expect(files.get(`${directory}/${STORE}`) ?? "'password'").toContain("'password'")
  const ours = [...files.keys()].filter(
    (path) => path.startsWith(`${directory}/`) && path.includes('php-sessions'),
  )
  return Object.fromEntries(
    ours.map((path) => [path.slice(directory.length + 1), modes.get(path)?.toString(8)]),
  )
}
