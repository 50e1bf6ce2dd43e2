import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MARK } from './mark.ts'

/**
 * Reads the path of each directory, and removes them all when the process that writes the paths has ended: also after
 * a crash or a SIGKILL. It closes the mark that a command above that process may have, to outlive that command, too.
 */
const REMOVE_AT_THE_END = `
exec ${MARK}<&-
directories=()
while read -r directory; do directories+=("$directory"); done
sleep 0.5 # the servers in them are ending at this moment, too
rm -rf "\${directories[@]}"
`

let remover: Socket | undefined

/** Makes an empty directory, readable by its owner only; `removeScratch` or the end of this process removes it. */
export function makeScratch(purpose: string): string {
  // Short, because the path of a Unix socket in it may have at most 107 bytes.
  const directory = mkdtempSync(join(tmpdir(), `lab-${purpose}-`))
  remover ??= startRemover()
  remover.write(`${directory}\n`)
  return directory
}

export function removeScratch(directory: string): void {
  rmSync(directory, { recursive: true, force: true })
}

function startRemover(): Socket {
  // Bash takes a socket, which Node's pipe is, for that of a remote shell, and would run ~/.bashrc.
  const child = spawn('bash', ['--norc', '-c', REMOVE_AT_THE_END], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  child.unref()
  const pipe = child.stdin as Socket
  pipe.unref()
  return pipe
}
