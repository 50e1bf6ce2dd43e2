import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const live = new Set<string>()

process.on('exit', () => {
  for (const directory of live) removeScratch(directory)
})

/** Makes an empty directory, readable by its owner only; it goes when `removeScratch` or the end of Node says so. */
export function makeScratch(purpose: string): string {
  // Short, because Unix sockets below it may have paths of 107 bytes only.
  const directory = mkdtempSync(join(tmpdir(), `lab-${purpose}-`))
  live.add(directory)
  return directory
}

export function removeScratch(directory: string): void {
  live.delete(directory)
  // A process that was killed a moment ago may still be writing its last file.
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}
