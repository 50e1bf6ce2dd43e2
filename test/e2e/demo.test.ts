import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeApp } from '../../lab/app.ts'
import { makeScratch } from '../../lab/processes/scratch.ts'

const ROOT = join(import.meta.dirname, '../..')

/** Runs the demo without what scripts/demo does before: setup and packages. */
const demo = (...args: readonly string[]) =>
  new Promise<{ status: number; out: string; err: string }>((resolve) => {
    const command = ['--import', 'tsx', 'demo/main.ts', ...args]
    const child = execFile(process.execPath, command, { cwd: ROOT, timeout: 110_000 }, (_error, out, err) =>
      resolve({ status: child.exitCode ?? -1, out, err }),
    )
  })

const COUNTER = `<?php session_start(); $_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
echo '<a href="/other.php">other</a> <a href="/logout.php">leave</a>';`

test("an app's own pages are visited, and its own session outlives a crash where a store is bound", async () => {
  const app = makeApp({
    'index.php': COUNTER,
    'other.php': '<?php echo "other";',
    'logout.php': '<?php http_response_code(500);',
    'composer.lock': '{"packages": [{"name": "symfony/framework-bundle", "version": "v6.4.0"}]}',
  })
  const { status, out } = await demo(app)
  expect(out).toMatch(/php-sessions explain says of this app:\n {2}\| Framework\n {2}\| .*Symfony/)
  expect(out).toMatch(/^ {2}\/ +instance \d: status 200\n {2}\/other.php +instance \d: status 200$/m)
  expect(out).not.toContain('/logout.php')
  expect(out).toMatch(/^app-redis-sessions bound +redis .* kept +yes$/m)
  expect(out).toMatch(/^app-memcached-sessions bound +memcached .* kept +yes$/m)
  expect(out).toContain('Everything was as promised.')
  expect(status).toBe(0)
})

test('a folder without PHP is refused', async () => {
  expect(await demo(makeScratch('empty'))).toMatchObject({
    status: 2,
    out: '',
    err: expect.stringContaining('there is no page of PHP in'),
  })
})
