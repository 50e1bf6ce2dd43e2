import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'

/** A package of npm of which something is in a bundle. */
export interface BundledPackage {
  readonly name: string
  readonly version: string
  /** An SPDX expression. */
  readonly license: string
  readonly licenseText: string
  /** The bundles that it is in. */
  readonly bundles: readonly string[]
}

const TEXT = { '.php': 'text', '.lua': 'text', '': 'text' } as const
const COMMON = { bundle: true, logLevel: 'warning', loader: TEXT } satisfies BuildOptions
const NODE = { ...COMMON, format: 'esm', platform: 'node', target: 'node20' } satisfies BuildOptions

/** What esbuild makes of the sources in `src` and of the playground, by the name of the bundle below dist/. */
export const bundlesOf = (src: string): Readonly<Record<string, BuildOptions>> => ({
  'php-sessions.mjs': {
    ...NODE,
    entryPoints: { 'php-sessions': `${src}/node.ts` },
    outExtension: { '.js': '.mjs' },
    banner: { js: '#!/usr/bin/env node' },
  },
  'php-sessions.js': {
    ...COMMON,
    entryPoints: { 'php-sessions': `${src}/quickjs.ts` },
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    minify: true,
    external: ['qjs:*'],
  },
  'playground/playground.mjs': {
    ...NODE,
    entryPoints: { 'playground/playground': 'playground/main.ts' },
    outExtension: { '.js': '.mjs' },
    minifySyntax: true,
  },
  'playground/page/main.js': {
    ...COMMON,
    entryPoints: {
      'playground/page/main': 'playground/page/main.tsx',
      'playground/page/page': 'playground/page/page.css',
    },
    format: 'iife',
    target: 'es2022',
    minify: true,
    jsx: 'automatic',
    jsxImportSource: 'preact',
  },
})

/** Finds the packages in the bundles by what esbuild says that it has read, sorted by name. */
export async function bundledPackages(): Promise<readonly BundledPackage[]> {
  const found = new Map<string, Set<string>>()
  for (const [bundle, options] of Object.entries(bundlesOf('src'))) {
    const { metafile } = await build({ ...options, outdir: 'dist', write: false, metafile: true })
    for (const input of Object.keys(metafile.inputs)) {
      const directory = /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(input)?.[0]
      if (directory !== undefined) found.set(directory, (found.get(directory) ?? new Set()).add(bundle))
    }
  }
  return [...found.keys()]
    .sort()
    .map((directory) => describePackage(directory, [...(found.get(directory) ?? [])]))
}

function describePackage(directory: string, bundles: readonly string[]): BundledPackage {
  const { name, version, license } = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8'))
  const file = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'LICENCE'].find((each) =>
    existsSync(`${directory}/${each}`),
  )
  if (file === undefined || typeof license !== 'string')
    throw new Error(`${directory} has no licence: its text must be in NOTICE`)
  return { name, version, license, licenseText: readFileSync(`${directory}/${file}`, 'utf8'), bundles }
}

// `tsx scripts/parts/bundles.ts SRC OUT` writes them.
const [, script, src, out] = process.argv
if (script === fileURLToPath(import.meta.url) && src !== undefined && out !== undefined)
  await Promise.all(Object.values(bundlesOf(src)).map((options) => build({ ...options, outdir: out })))
