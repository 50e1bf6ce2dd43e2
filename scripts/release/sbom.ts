import { execFileSync } from 'node:child_process'
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

/**
 * Lists what is in the artefacts, in CycloneDX's format: the same artefacts always give the same bytes. Each executable has
 * the libgcc of its own compiler.
 */
export async function renderSbom(
  { version }: Release,
  libgcc: Readonly<Partial<Record<Machine, string>>>,
): Promise<string> {
  const application = part('php-sessions', version, { licence: 'MIT', type: ComponentType.Application })
  const packages = (await bundledPackages()).map(({ name, version: release, license, bundles }) =>
    part(name, release, {
      licence: license,
      purl: `pkg:npm/${name.replace('@', '%40')}@${release}`,
      description: `in ${bundles.map((bundle) => `dist/${bundle}`).join(', ')} of the npm package`,
    }),
  )
  const native = [
    ...Object.entries(NATIVE_PARTS).map(([id, { licence }]) => {
      const { version: release, ...source } = pinnedSource(id as keyof typeof NATIVE_PARTS)
      return part(id, release, {
        licence,
        description: 'in all executables',
        purl: generic(id, release),
        source,
      })
    }),
    ...Object.entries(libgcc).map(([machine, release]) =>
      part('libgcc', release, {
        licence: 'GPL-3.0-or-later WITH GCC-exception-3.1',
        description: `in php-sessions-linux-${machine}`,
        purl: generic('libgcc', release),
        suffix: machine,
      }),
    ),
  ]
  const parts = [...native, ...packages]
  for (const { bomRef } of parts) application.dependencies.add(bomRef)
  const bom = new Bom({ metadata: new Metadata({ component: application }) })
  for (const each of parts) bom.components.add(each)
  bom.serialNumber = `urn:uuid:${uuidOf(JSON.stringify(parts.map(({ bomRef }) => bomRef.value)) + version)}`
  const serializer = new JsonSerializer(new BomJson.Normalize.Factory(Spec1dot6))
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`
}

/** The name by which scanners look for what is in no registry. */
const generic = (name: string, version: string) => `pkg:generic/${name}@${version}`

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

/** Asks the compiler of scripts/parts/native.sh which release of its library it brings. */
export function libgccOf(machine: Machine, own: string): string {
  const gcc = machine === own ? 'gcc' : `${machine}-linux-gnu-gcc`
  return execFileSync(gcc, ['-dumpfullversion'], { encoding: 'utf8' }).trim()
}
