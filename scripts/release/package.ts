import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cloudFoundryFiles, cnbFiles, type Machine, type PackedFile, type Release, zip } from './buildpack.ts'
import { npmFiles } from './npm.ts'
import { libgccOf, renderSbom } from './sbom.ts'
import { tgz } from './tar.ts'

// Makes the release in dist/ from what scripts/build has left there: `tsx scripts/release/package.ts VERSION MACHINE
// OTHER_MACHINE...`, this machine's architecture first.

const [version = '', own = '', ...others] = process.argv.slice(2)
const isMachine = (name: string): name is Machine => name === 'x86_64' || name === 'aarch64'
const machines = [own, ...others].filter(isMachine)
const release: Release = {
  version,
  executables: Object.fromEntries(
    machines.map((machine) => [
      machine,
      machine === own ? 'dist/php-sessions' : `dist/php-sessions-${machine}`,
    ]),
  ),
}

/** Leaves the files of a buildpack in a directory, too: the tests run it from there. */
function unpackTo(directory: string, files: readonly PackedFile[]): void {
  rmSync(directory, { recursive: true, force: true })
  for (const { path, mode, bytes } of files) {
    const target = join(directory, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, bytes, { mode })
  }
}

/** What an earlier run made, of another version or for more architectures, is not part of this release. */
function removeEarlier(): void {
  if (!existsSync('dist/SHA256SUMS')) return
  for (const [, name = ''] of readFileSync('dist/SHA256SUMS', 'utf8').matchAll(/^\w+ {2}(\S+)$/gm))
    rmSync(join('dist', name), { force: true })
}

const forCloudFoundry = cloudFoundryFiles(release)
const forCnb = cnbFiles(release)
if (forCloudFoundry !== undefined) unpackTo('dist/buildpack-cf', forCloudFoundry)
unpackTo('dist/buildpack-cnb', forCnb)

const libgcc = Object.fromEntries(machines.map((machine) => [machine, libgccOf(machine, own)]))
const artefacts: Readonly<Record<string, string | Uint8Array>> = {
  ...(forCloudFoundry !== undefined && {
    [`php-sessions-buildpack-cf-${version}.zip`]: zip(forCloudFoundry),
  }),
  [`php-sessions-buildpack-cnb-${version}.tgz`]: tgz(forCnb),
  ...Object.fromEntries(
    Object.entries(release.executables).map(([machine, path]) => [
      `php-sessions-linux-${machine}`,
      readFileSync(path),
    ]),
  ),
  [`php-sessions-npm-${version}.tgz`]: tgz(npmFiles(version)),
  [`php-sessions-${version}.cdx.json`]: await renderSbom(release, libgcc),
  NOTICE: readFileSync('NOTICE'),
}
removeEarlier()
const sums = Object.entries(artefacts).map(([name, bytes]) => {
  writeFileSync(join('dist', name), bytes, { mode: name.startsWith('php-sessions-linux') ? 0o755 : 0o644 })
  return `${createHash('sha256').update(bytes).digest('hex')}  ${name}\n`
})
writeFileSync('dist/SHA256SUMS', sums.join(''))
