import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { unzipSync } from 'fflate'
import { parse } from 'smol-toml'
import { beforeAll, expect, test } from 'vitest'
import { bundledPackages } from '../../scripts/parts/bundles.ts'
import { NATIVE_PARTS } from '../../scripts/release/native-parts.ts'
import { ARM64, arm64Unavailable } from '../support/arm64.ts'
import { DIST, fileIn, NPM_TARBALL, VERSION, zipModes } from '../support/artefacts.ts'
import { copyCheckout } from '../support/checkout.ts'

const ROOT = join(import.meta.dirname, '../..')
const HAS_ARM64 = arm64Unavailable === undefined

const read = (name: string) => readFileSync(join(DIST, name))
const sumsIn = (checkout: string) =>
  new Map(
    readFileSync(join(checkout, 'dist/SHA256SUMS'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split('  ').reverse() as [string, string]),
  )

const CF = `php-sessions-buildpack-cf-${VERSION}.zip`
const CNB = `php-sessions-buildpack-cnb-${VERSION}.tgz`
const SBOM = `php-sessions-${VERSION}.cdx.json`

beforeAll(() => {
  execFileSync('scripts/package', { cwd: ROOT })
}, 600_000)

test('SHA256SUMS has every artefact', () => {
  const sums = sumsIn(ROOT)
  expect([...sums.keys()].sort()).toEqual(
    [
      CF,
      CNB,
      NPM_TARBALL,
      SBOM,
      'NOTICE',
      'php-sessions-linux-x86_64',
      ...(HAS_ARM64 ? ['php-sessions-linux-aarch64'] : []),
    ].sort(),
  )
  for (const [name, sum] of sums) expect(createHash('sha256').update(read(name)).digest('hex')).toBe(sum)
})

test('another directory gives the same bytes of all artefacts', () => {
  const checkout = copyCheckout(ROOT, VERSION)
  execFileSync(join(checkout, 'scripts/package'))
  expect(sumsIn(checkout)).toEqual(sumsIn(ROOT))
}, 600_000)

test('the buildpack for Cloud Foundry has its scripts at the root of the zip, executable', () => {
  const packed = read(CF)
  expect(Object.keys(unzipSync(packed))).toEqual([
    'LICENSE',
    'NOTICE',
    'README.md',
    'VERSION',
    'bin/detect',
    'bin/finalize',
    'bin/php-sessions',
    'bin/supply',
  ])
  const modes = zipModes(packed)
  for (const name of ['detect', 'finalize', 'php-sessions', 'supply'])
    expect(modes[`bin/${name}`]).toBe(0o100755)
  expect(modes.VERSION).toBe(0o100644)
})

const PROGRAMS = ['bin/php-sessions-amd64', ...(HAS_ARM64 ? ['bin/php-sessions-arm64'] : [])]

test('the Cloud Native Buildpack is one for all architectures: sorted, owned by root, of a day in 1980', () => {
  const list = execFileSync('tar', ['-tvzf', join(DIST, CNB), '--numeric-owner', '--utc', '--full-time'])
  const entries = list
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.split(/ +/))
  expect(entries.map(([, , , , , path]) => path)).toEqual(
    [
      'LICENSE',
      'NOTICE',
      'README.md',
      'VERSION',
      'bin/',
      'bin/build',
      'bin/detect',
      'bin/executable',
      ...PROGRAMS,
      'buildpack.toml',
    ].sort(),
  )
  for (const [, owner, , day, time] of entries)
    expect({ owner, day, time }).toEqual({ owner: '0/0', day: '1980-01-01', time: '00:00:00' })
  for (const path of ['bin/build', 'bin/detect', ...PROGRAMS])
    expect(entries.find((entry) => entry[5] === path)?.[0]).toBe('-rwxr-xr-x')
  expect(parse(fileIn(CNB, 'buildpack.toml'))).toMatchObject({
    // The specification wants three numbers.
    buildpack: { id: 'php-sessions/php-sessions', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) },
    targets: PROGRAMS.map((path) => ({ os: 'linux', arch: path.replace(/.*-/, '') })),
  })
})

test.each([
  ['amd64', 'amd64'],
  ['arm64', 'arm64'],
])('on %s the Cloud Native Buildpack takes the executable for it', (arch, expected) => {
  const path = chosenExecutable(arch)
  if (expected === 'arm64' && !HAS_ARM64)
    expect(path).toMatch(/^php-sessions: this buildpack is not for arm64/)
  else expect(path).toBe(join(DIST, `buildpack-cnb/bin/php-sessions-${expected}`))
})

test('the Cloud Native Buildpack refuses an architecture that it does not have, and asks the machine where nobody says', () => {
  expect(chosenExecutable('s390x')).toMatch(
    /^php-sessions: this buildpack is not for s390x; it has php-sessions-amd64/,
  )
  expect(chosenExecutable(undefined)).toBe(join(DIST, 'buildpack-cnb/bin/php-sessions-amd64'))
})

/** What bin/executable sets for detect and build, or what it prints. */
function chosenExecutable(arch: string | undefined): string {
  const script = '. "$(dirname "$0")/executable" 2>&1; echo "$executable"'
  const { CNB_TARGET_ARCH: _, ...env } = process.env
  try {
    return execFileSync('sh', ['-c', script, join(DIST, 'buildpack-cnb/bin/detect')], {
      env: arch === undefined ? env : { ...env, CNB_TARGET_ARCH: arch },
      encoding: 'utf8',
    }).trim()
  } catch (error) {
    return String((error as { readonly stdout: unknown }).stdout)
  }
}

test('the licences of all that is in it travel in every artefact', () => {
  const notice = readFileSync(join(ROOT, 'NOTICE'), 'utf8')
  const texts = {
    zip: Buffer.from(unzipSync(read(CF)).NOTICE ?? []).toString(),
    cnb: fileIn(CNB, 'NOTICE'),
    npm: fileIn(NPM_TARBALL, 'package/NOTICE'),
    executable: execFileSync(join(DIST, 'php-sessions-linux-x86_64'), ['--licences'], { encoding: 'utf8' }),
    node: execFileSync(process.execPath, [join(DIST, 'php-sessions.mjs'), '--licences'], {
      encoding: 'utf8',
    }),
    file: read('NOTICE').toString(),
    ...(ARM64 !== undefined && {
      arm64: execFileSync(ARM64[0], [...ARM64.slice(1), '--licences'], { encoding: 'utf8' }),
    }),
  }
  for (const [name, text] of Object.entries(texts)) expect({ name, text }).toEqual({ name, text: notice })
})

test('the list of parts names all that is linked or bundled, each with release and licence', async () => {
  const bom = JSON.parse(read(SBOM).toString())
  const isValid = cycloneDx()
  expect({ isValid: isValid(bom), errors: isValid.errors }).toEqual({ isValid: true, errors: null })
  expect(bom.metadata.component).toMatchObject({ name: 'php-sessions', version: VERSION })
  expect(bom.metadata.timestamp).toBeUndefined()
  const names: readonly string[] = bom.components.map(({ name }: { readonly name: string }) => name)
  const packages = (await bundledPackages()).map(({ name }) => name)
  const executables = HAS_ARM64 ? 2 : 1
  expect([...names].sort()).toEqual(
    [
      ...packages,
      ...Object.keys(NATIVE_PARTS),
      ...Array.from({ length: executables }, () => 'libgcc'),
    ].sort(),
  )
  for (const { name, version, licenses, purl } of bom.components) {
    // Without it a scanner of weaknesses passes over the part.
    expect(purl).toMatch(new RegExp(`^pkg:(generic|npm)/${name.replace('@', '%40')}@${version}$`))
    expect(version).toMatch(/^\d+(\.\d+)+/)
    expect(licenses).toHaveLength(1)
  }
})

/** The schema of CycloneDX 1.6, which comes with the library that writes the list. */
function cycloneDx() {
  const schema = (name: string) =>
    JSON.parse(
      readFileSync(join(ROOT, `node_modules/@cyclonedx/cyclonedx-library/res/schema/${name}`), 'utf8'),
    )
  const ajv = new Ajv({ strict: false, validateFormats: false })
  for (const name of ['spdx.SNAPSHOT.schema.json', 'jsf-0.82.SNAPSHOT.schema.json'])
    ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}`)
  return ajv.compile(schema('bom-1.6.SNAPSHOT.schema.json'))
}
