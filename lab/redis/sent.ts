import type { Redis, RedisOptions } from './options.ts'
import { countsSubcommands } from './release.ts'

/**
 * Those of the commands, such as `get` or `cluster|slots`, that no server has run since its figures were reset. A server that
 * does not count subcommands is believed to have run each one of a command that it has run.
 */
export function unsent(
  commands: readonly string[],
  nodes: readonly Redis[],
  which: Pick<RedisOptions, 'program'>,
): readonly string[] {
  const sent = nodes.flatMap((node) =>
    [...node.cli('INFO', 'commandstats').matchAll(/^cmdstat_([^:]+):calls=[1-9]/gm)].map(([, name]) => name),
  )
  const counted = (command: string) => (countsSubcommands(which) ? command : command.replace(/\|.*/, ''))
  return commands.filter((command) => !sent.includes(counted(command)))
}
