import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync)

/** Why there is no browser here; undefined if there is one. */
export const NO_BROWSER =
  CHROMIUM === undefined ? 'there is no Chromium: package chromium of Debian' : whyItDoesNotStart(CHROMIUM)

/** Ubuntu's package has only a script, which asks for the snap. */
function whyItDoesNotStart(file: string): string | undefined {
  const { status, stderr, error } = spawnSync(file, ['--version'], { encoding: 'utf8', timeout: 60_000 })
  if (status === 0) return undefined
  return `${file} does not start: ${error?.message ?? stderr.trim().replace(/\s+/g, ' ')}`
}

/** It asks nobody but the page's server. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Starts the distribution's Chromium without a window. */
export function startBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error(NO_BROWSER)
  return chromium.launch({ executablePath: CHROMIUM, args: QUIET })
}
