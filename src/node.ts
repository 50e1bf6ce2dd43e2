import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { main } from './cli/main.ts'
import type { Host } from './host/host.ts'
import { nodeHost } from './host/node.ts'

// In the npm package it is a separate bundle, so other commands need not load it.
const bundle = join(import.meta.dirname, 'playground/playground.mjs')

const playground: Host['playground'] = async (args, flags) => {
  const { play }: { play: NonNullable<Host['playground']> } = await import(bundle)
  return play(args, flags)
}

process.exitCode = await main(
  existsSync(bundle) ? { ...nodeHost, playground } : nodeHost,
  process.argv.slice(2),
)
