import { randomUUID } from 'node:crypto'
import { runCommand } from '../processes/command.ts'
import type { CommandLine } from '../processes/contained.ts'
import { makeScratch, removeScratch } from '../processes/scratch.ts'
import { startServer } from '../processes/server.ts'
import { quoteForShell } from '../processes/words.ts'
import { sidecars, unpackDroplet } from './droplet.ts'
import { instanceEnvironment, taskEnvironment } from './environment.ts'
import type { Environment, Instance, Lifecycle } from './lifecycle.ts'

/** The programs that the platform puts into a container; `directory` stands for /home/vcap. */
export interface LaunchPrograms {
  /** `command` is that of `cf push -c` or `cf run-task`; the one that staging found when absent. */
  launcher(directory: string, command?: string): CommandLine
  shell(directory: string, command: string): CommandLine
}

/** Runs each droplet in a directory of its own, by the lab's programs or by the real ones. */
export function runDropletsWith(programs: LaunchPrograms): Omit<Lifecycle, 'stage'> {
  const openShell: Lifecycle['openShell'] = ({ directory, env }, command) =>
    runCommand(inContainer(programs.shell(directory, command), directory, env))
  return {
    openShell,
    startInstance: async (droplet, { index, services, env, command }) => {
      const id = randomUUID()
      let environment: Environment = {}
      const server = await startServer({
        name: 'instance',
        ports: 1,
        command: async ({ directory, ports: [port = 0] }) => {
          await unpackDroplet(droplet, directory)
          environment = instanceEnvironment(directory, { id, index, port }, services, env)
          const lines = [command, ...sidecars(directory)].map((line) => programs.launcher(directory, line))
          return inContainer(codependent(lines), directory, environment)
        },
      })
      const port = server.ports[0] as number
      const instance: Instance = {
        id,
        index,
        port,
        url: `http://127.0.0.1:${port}`,
        directory: server.directory,
        env: environment,
        log: server.log,
        stop: server.stop,
        kill: () => {
          server.kill('SIGKILL')
          return server.stop()
        },
      }
      return instance
    },
    runTask: async (droplet, command, options = {}) => {
      const directory = makeScratch('task')
      try {
        await unpackDroplet(droplet, directory)
        const env = taskEnvironment(directory, options.services, options.env)
        return await runCommand(inContainer(programs.launcher(directory, command), directory, env))
      } finally {
        removeScratch(directory)
      }
    },
  }
}

/** Makes one command of several that end together: when the first one ends, or by SIGTERM, which all of them get. */
function codependent(lines: readonly CommandLine[]): CommandLine {
  const [first, ...others] = lines as [CommandLine, ...CommandLine[]]
  if (others.length === 0) return first
  const start = lines.map(({ file, args = [] }) => `${[file, ...args].map(quoteForShell).join(' ')} &`)
  const script = `trap 'kill $(jobs -p); wait' TERM; ${start.join(' ')} wait -n; status=$?; kill $(jobs -p); wait; exit $status`
  return { ...first, file: 'bash', args: ['-c', script] }
}

function inContainer(command: CommandLine, directory: string, env: Environment): CommandLine {
  return { ...command, cwd: directory, env: { ...env, ...command.env } }
}
