import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeScratch } from '../../lab/processes/scratch.ts'
import { TEXTS } from '../../scripts/release/buildpack.ts'

/** Copies what makes the release, without git; the copy is told the version. */
export function copyCheckout(root: string, version: string): string {
  const checkout = makeScratch('checkout')
  const files = [...TEXTS, 'package.json', 'tsconfig.json']
  for (const path of [...files, 'buildpack', 'lab', 'native', 'playground', 'scripts', 'src'])
    cpSync(join(root, path), join(checkout, path), { recursive: true })
  writeFileSync(join(checkout, 'scripts/version'), `#!/bin/sh\necho '${version}'\n`)
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'))
  // Compiling musl and QuickJS again would take minutes: scripts/release/reproduce does that.
  mkdirSync(join(checkout, '.cache'))
  for (const name of readdirSync(join(root, '.cache')).filter((name) =>
    /^(runtime|musl)-.*\w{16}$/.test(name),
  ))
    symlinkSync(join(root, '.cache', name), join(checkout, '.cache', name))
  return checkout
}
