import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { makeScratch } from '../../lab/processes/scratch.ts'
import { DIST, NPM_TARBALL, VERSION } from '../support/artefacts.ts'

describe('the npm package', () => {
  const folder = makeScratch('npm')
  beforeAll(() => {
    writeFileSync(join(folder, 'package.json'), '{"private": true}')
    execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', join(DIST, NPM_TARBALL)], {
      cwd: folder,
    })
  }, 300_000)
  const npx = (...args: string[]) =>
    execFileSync('npx', ['--offline', '--no-install', 'php-sessions', ...args], {
      cwd: folder,
      encoding: 'utf8',
    })

  test('explains in an empty folder, and lists the scenes of the playground', () => {
    expect(npx('--version')).toBe(`${VERSION}\n`)
    expect(npx('explain')).toContain('php-sessions')
    expect(npx('playground', '--list')).toContain('logged-out')
  }, 300_000)

  test('runs every check of the doctor', () => {
    const { checks, findings } = JSON.parse(npx('doctor', '--json'))
    expect(checks.length).toBeGreaterThan(5)
    expect(findings).not.toContainEqual(expect.objectContaining({ id: 'check.fault' }))
  }, 300_000)

  test('has what it needs and nothing else', () => {
    // docs/playground.md says so.
    expect(statSync(join(DIST, NPM_TARBALL)).size).toBeLessThan(300_000)
    const root = join(folder, 'node_modules/php-sessions')
    const files = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    expect(files.sort()).toMatchInlineSnapshot(`
      [
        "LICENSE",
        "NOTICE",
        "README.md",
        "dist/php-sessions.mjs",
        "dist/playground/app/index.php",
        "dist/playground/bin/detect",
        "dist/playground/bin/finalize",
        "dist/playground/bin/supply",
        "dist/playground/launcher.sh",
        "dist/playground/page/main.js",
        "dist/playground/page/page.css",
        "dist/playground/php-buildpack-v4/bin/finalize",
        "dist/playground/php-buildpack-v4/bin/release",
        "dist/playground/php-buildpack-v4/launch/rewrite",
        "dist/playground/php-buildpack-v4/launch/start",
        "dist/playground/php-buildpack-v5/bin/finalize",
        "dist/playground/php-buildpack-v5/bin/release",
        "dist/playground/php-buildpack-v5/bin/supply",
        "dist/playground/php-buildpack/nginx.conf",
        "dist/playground/php-buildpack/php-fpm.conf",
        "dist/playground/php-buildpack/php.ini",
        "dist/playground/php-buildpack/php.sh",
        "dist/playground/php-buildpack/sessions.php",
        "dist/playground/php-buildpack/settings.php",
        "dist/playground/playground.mjs",
        "dist/playground/probe/php-sessions-playground-look.php",
        "dist/playground/probe/php-sessions-playground.php",
        "package.json",
      ]
    `)
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(Object.keys(manifest).filter((key) => /depend|scripts/i.test(key))).toEqual([])
    expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
      'php-sessions',
    ])
  })

  test('plays a scene', () => {
    expect(npx('playground', '--headless', '--scenario', 'logged-out')).toContain(
      'Everything was as promised.',
    )
  }, 300_000)
})
