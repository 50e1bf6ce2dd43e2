import { join } from 'node:path'
import { runDropletsWith } from './containers.ts'
import { startCommand } from './droplet.ts'
import type { Lifecycle } from './lifecycle.ts'
import { stage } from './stage.ts'

const LAUNCHER = join(import.meta.dirname, 'launcher.sh')

/** Cloud Foundry's lifecycle, rewritten for the lab: it needs bash and tar, but neither Go nor root. */
export const labLifecycle: Lifecycle = {
  stage,
  ...runDropletsWith({
    launcher: (directory, command = startCommand(directory)) => ({
      file: 'bash',
      args: [LAUNCHER, join(directory, 'app'), command],
    }),
    shell: (directory, command) => ({
      file: 'bash',
      args: [LAUNCHER, join(directory, 'app'), command],
      env: { LAB_SHELL: '1' },
    }),
  }),
}
