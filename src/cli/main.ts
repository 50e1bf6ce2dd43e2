import type { Host } from '../host/host.ts'

/** Runs one command line; `args` come without the program's name. Returns the exit status. */
export function main(host: Host, args: readonly string[]): number {
  host.out(`${args.join(' ')}\n`)
  return 0
}
