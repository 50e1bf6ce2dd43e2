import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { ComponentType, ExternalReferenceType, HashAlgorithm } from '@cyclonedx/cyclonedx-library/Enums'
import {
  Bom,
  Component,
  ExternalReference,
  ExternalReferenceRepository,
  HashDictionary,
  type License,
  LicenseExpression,
  LicenseRepository,
  Metadata,
} from '@cyclonedx/cyclonedx-library/Models'
import { JSON as BomJson, JsonSerializer } from '@cyclonedx/cyclonedx-library/Serialize'
import { Spec1dot6 } from '@cyclonedx/cyclonedx-library/Spec'
import { bundledPackages } from '../parts/bundles.ts'
import type { Machine, Release } from './buildpack.ts'
import { NATIVE_PARTS, pinnedSource } from './native-parts.ts'

/** The releases of what the compilers bring into an executable. */
export interface Toolchain {
  readonly musl: string
  readonly libgcc: string
}

/** Lists what is in the artefacts, in CycloneDX's format: the same artefacts always give the same bytes. */
export async function renderSbom(
  { version }: Release,
  toolchains: Readonly<Partial<Record<Machine, Toolchain>>>,
): Promise<string> {
  const application = part('php-sessions', version, { licence: 'MIT', type: ComponentType.Application })
  const packages = (await bundledPackages()).map(({ name, version: release, license, bundles }) =>
    part(name, release, {
      licence: license,
      purl: `pkg:npm/${name.replace('@', '%40')}@${release}`,
      description: `in ${bundles.map((bundle) => `dist/${bundle}`).join(', ')} of the npm package`,
    }),
  )
  const { version: quickjs, ...source } = pinnedSource('quickjs')
  const native = [
    part('quickjs', quickjs, { licence: 'MIT', description: 'in all executables', source }),
    ...Object.entries(toolchains).flatMap(([machine, { musl, libgcc }]) => {
      const description = `in php-sessions-linux-${machine}`
      const pinned = pinnedSource('musl')
      return [
        part('musl', musl, {
          licence: 'MIT',
          description,
          suffix: machine,
          ...(musl === pinned.version && { source: pinned }),
        }),
        part('libgcc', libgcc, {
          licence: 'GPL-3.0-or-later WITH GCC-exception-3.1',
          description,
          suffix: machine,
        }),
      ]
    }),
  ]
  const parts = [...native, ...packages]
  for (const { bomRef } of parts) application.dependencies.add(bomRef)
  const bom = new Bom({ metadata: new Metadata({ component: application }) })
  for (const each of parts) bom.components.add(each)
  bom.serialNumber = `urn:uuid:${uuidOf(JSON.stringify(parts.map(({ bomRef }) => bomRef.value)) + version)}`
  const serializer = new JsonSerializer(new BomJson.Normalize.Factory(Spec1dot6))
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`
}

interface PartOptions {
  readonly licence: string
  readonly type?: ComponentType
  readonly description?: string
  readonly purl?: string
  readonly suffix?: string
  readonly source?: { readonly file: string; readonly sha256: string }
}

function part(name: string, version: string, options: PartOptions): Component {
  const { licence, type = ComponentType.Library, description, purl, suffix, source } = options
  const home = Object.entries(NATIVE_PARTS).find(([id]) => id === name)?.[1].home
  const references = [
    ...(home === undefined ? [] : [new ExternalReference(home, ExternalReferenceType.Website)]),
    ...(source === undefined
      ? []
      : [
          new ExternalReference(source.file, ExternalReferenceType.SourceDistribution, {
            hashes: new HashDictionary([[HashAlgorithm['SHA-256'], source.sha256]]),
          }),
        ]),
  ]
  return new Component(type, name, {
    bomRef: [name, version, ...(suffix === undefined ? [] : [suffix])].join('@'),
    version,
    licenses: new LicenseRepository([new LicenseExpression(licence) satisfies License]),
    externalReferences: new ExternalReferenceRepository(references),
    ...(description !== undefined && { description }),
    ...(purl !== undefined && { purl }),
  })
}

/** A UUID of version 8 (RFC 9562), from a text. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-')
}

/** Asks the compilers of scripts/parts/native.sh what they bring. The C library of another architecture has a pinned source. */
export function toolchainOf(machine: Machine, own: string): Toolchain {
  const gcc = machine === own ? 'gcc' : `${machine}-linux-gnu-gcc`
  const libgcc = execFileSync(gcc, ['-dumpfullversion'], { encoding: 'utf8' }).trim()
  if (machine !== own) return { libgcc, musl: pinnedSource('musl').version }
  // musl's loader prints its release, as an error.
  const { stderr } = spawnSync(`/lib/ld-musl-${machine}.so.1`, { encoding: 'utf8' })
  const musl = /^Version (\S+)$/m.exec(stderr)?.[1]
  if (musl === undefined) throw new Error(`/lib/ld-musl-${machine}.so.1 does not print its version`)
  return { libgcc, musl }
}
