import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cloudFoundryBuildpack, zip } from './buildpack.ts'

// Makes the release in dist/ of what scripts/build left there: `tsx tools/package.ts ARCH`.

const arch = process.argv[2]
if (arch === undefined) throw new Error('expected the architecture, as uname -m tells it')
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

const files = cloudFoundryBuildpack(version, 'dist/php-sessions')
// The tests install this directory: it is what the zip holds.
rmSync('dist/buildpack-cf', { recursive: true, force: true })
for (const { path, mode, bytes } of files) {
  const target = join('dist/buildpack-cf', path)
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, bytes, { mode })
}

const buildpack = `php-sessions-buildpack-cf-${version}.zip`
const executable = `php-sessions-linux-${arch}`
writeFileSync(join('dist', buildpack), zip(files))
copyFileSync('dist/php-sessions', join('dist', executable))

const sums = [buildpack, executable].map((name) => {
  const digest = createHash('sha256')
    .update(readFileSync(join('dist', name)))
    .digest('hex')
  return `${digest}  ${name}\n`
})
writeFileSync('dist/SHA256SUMS', sums.join(''))
