import { randomUUID } from 'node:crypto'
import type { Environment } from '../cloudfoundry/lifecycle.ts'
import { runCommand } from '../processes/command.ts'
import type { CommandLine } from '../processes/contained.ts'
import { makeScratch, removeScratch } from '../processes/scratch.ts'
import { startServer } from '../processes/server.ts'
import type { CnbLifecycle, Image, LaunchOptions } from './lifecycle.ts'

/** Gives the command line that launches a command in an image, with this environment. */
export type Launcher = (image: Image, command: readonly string[], env: Environment) => CommandLine

/** Runs images by the lab's launcher or the real one, in containers that have only TMPDIR of their own. */
export function runImagesWith(launcher: Launcher): Pick<CnbLifecycle, 'startInstance' | 'run'> {
  return {
    startInstance: async (image, index, options = {}) => {
      const server = await startServer({
        name: 'instance',
        ports: 1,
        command: ({ directory, ports: [port] }) =>
          launcher(image, ['start-web'], containerEnvironment(directory, options, { PORT: String(port) })),
      })
      const port = server.ports[0] as number
      const { directory, log, stop } = server
      return { id: randomUUID(), index, port, url: `http://127.0.0.1:${port}`, directory, log, stop }
    },
    run: async (image, command, options = {}) => {
      const directory = makeScratch('run')
      try {
        return await runCommand(launcher(image, command, containerEnvironment(directory, options)))
      } finally {
        removeScratch(directory)
      }
    },
  }
}

function containerEnvironment(directory: string, { env }: LaunchOptions, more: Environment = {}) {
  const own = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', HOME: directory, TMPDIR: directory }
  return { ...own, ...more, ...env }
}
