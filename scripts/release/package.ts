import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { buildpackFiles, goArchitecture, zip } from './buildpack.ts'
import { tgz } from './tar.ts'

// Makes the release in dist/ from what scripts/build has left there: `tsx scripts/release/package.ts ARCH`.

const arch = process.argv[2]
if (arch === undefined) throw new Error('expected one argument: the architecture, as uname -m prints it')
const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

const files = buildpackFiles({ version, arch: goArchitecture(arch), executable: 'dist/php-sessions' })
// One directory serves both platforms, so both names have the same files.
for (const directory of ['dist/buildpack-cf', 'dist/buildpack-cnb']) {
  rmSync(directory, { recursive: true, force: true })
  for (const { path, mode, bytes } of files) {
    const target = join(directory, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, bytes, { mode })
  }
}

const artefacts = {
  [`php-sessions-buildpack-cf-${version}.zip`]: zip(files),
  [`php-sessions-buildpack-cnb-${version}.tgz`]: tgz(files),
  [`php-sessions-linux-${arch}`]: readFileSync('dist/php-sessions'),
}
const sums = Object.entries(artefacts).map(([name, bytes]) => {
  writeFileSync(join('dist', name), bytes, { mode: name.includes('buildpack') ? 0o644 : 0o755 })
  return `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`
})
writeFileSync('dist/SHA256SUMS', sums.join(''))
