import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// What ships has PHP files without comments and indentation, which are for readers of src: 86 KB less. The tests get the
// same text. `tsx scripts/parts/php-as-shipped.ts DIRECTORY` does it to all PHP files in a copy of src.

/** A PHP file without indentation and the comments that have lines of their own. */
export function phpAsShipped(php: string): string {
  return php.replace(/^ *\/\*\*.*\*\/ *\n|^ *\/\*\*[\s\S]*?\*\/ *\n|^ *\/\/ .*\n|^ +/gm, '')
}

const [, script, directory = ''] = process.argv
if (script === fileURLToPath(import.meta.url))
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const path = join(directory, name)
    if (name.endsWith('.php')) writeFileSync(path, phpAsShipped(readFileSync(path, 'utf8')))
  }
