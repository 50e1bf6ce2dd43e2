import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Is told each directory, and removes them when nobody can tell it more: also after a crash or a SIGKILL. */
const REMOVE_AFTER_US = `
directories=()
while read -r directory; do directories+=("$directory"); done
sleep 0.5 # the processes that live there are ending at this moment too
rm -rf "\${directories[@]}"
`

let remover: Socket | undefined

/** Makes an empty directory, readable by its owner only; it goes with `removeScratch` or with this process. */
export function makeScratch(purpose: string): string {
  // Short, because Unix sockets below it may have paths of 107 bytes only.
  const directory = mkdtempSync(join(tmpdir(), `lab-${purpose}-`))
  remover ??= startRemover()
  remover.write(`${directory}\n`)
  return directory
}

export function removeScratch(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
}

function startRemover(): Socket {
  const child = spawn('bash', ['-c', REMOVE_AFTER_US], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.unref()
  const pipe = child.stdin as Socket
  pipe.unref()
  return pipe
}
