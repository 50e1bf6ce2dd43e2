import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { EXECUTABLE } from '../../support/homes/cloudfoundry.ts'
import { container } from '../../support/homes/container.ts'

/** Launches, becomes the app's process, and launches again from an environment like that of `docker exec`. */
const SCRIPT = `
  dir=$("$0" cnb-launch 2>/dev/null | sed 's/.* = ":\\(.*\\)"/\\1/')
  exec env PHP_INI_SCAN_DIR=":$dir" sh -c '
    sum() { ls -d "$TMPDIR"/php-sessions-*; cat "$TMPDIR"/php-sessions-*/*.ini | cksum; }
    sum
    env -u PHP_INI_SCAN_DIR "$@" "$0" cnb-launch 2>/dev/null
    sum
    php -r "echo ini_get(\\"session.save_handler\\");"' "$0" "$@"`

const launchTwice = (...change: readonly string[]) => {
  const { env, directory, left } = container({ REDIS_URL: 'redis://:s3cret@127.0.0.1:6379' })
  const args = ['-c', SCRIPT, EXECUTABLE, ...change]
  const { stdout } = spawnSync('sh', args, { env, cwd: directory, encoding: 'utf8', timeout: 60_000 })
  return { lines: stdout.split('\n'), left: left() }
}

test('a second launch in a running container uses the files of the first, and leaves them whole', () => {
  const { lines, left } = launchTwice()
  const [directory, sum, variable, later, same, handler] = lines
  expect(variable).toBe(`PHP_INI_SCAN_DIR = ":${directory}"`)
  expect({ later, same, handler }).toEqual({ later: directory, same: sum, handler: 'redis' })
  expect(left).toHaveLength(1)
})

test('one with another binding has its own files', () => {
  const { lines, left } = launchTwice('env', 'REDIS_URL=redis://:other@127.0.0.1:6379')
  expect(lines.at(-1)).toBe('redis')
  expect(left).toHaveLength(2)
})
