import { dirname } from 'node:path'
import { onTestFinished } from 'vitest'
import { type NginxOptions, startNginx } from '../../../lab/web/nginx.ts'
import { container, startFpmIn } from '../homes/container.ts'

export interface AppWeb {
  readonly url: string
  /** What the web server, the instances and PHP have printed. */
  log(): string
  /** After this the log is complete. */
  stop(): Promise<void>
}

const INSTANCES = 2
const WORKERS = 5

/** Starts an app on two instances of php-fpm under exec, with this environment; nginx asks them in turn. */
export async function startAppWeb(
  env: Readonly<Record<string, string>>,
  entry: Omit<NginxOptions, 'backends'>,
): Promise<AppWeb> {
  // Adminer counts the failed logins in its TMPDIR.
  const pool = { workers: WORKERS, lines: ['catch_workers_output = yes', 'env[TMPDIR] = $TMPDIR'] }
  // An app may have its front controller in a folder of its own.
  const app = dirname(entry.script).replace(/\/public$/, '')
  const instances = await Promise.all(
    Array.from({ length: INSTANCES }, () =>
      startFpmIn(container(env), { pages: {}, pool, args: ['--app', app] }),
    ),
  )
  const nginx = await startNginx({ ...entry, backends: instances.map(({ ports: [port = 0] }) => port) })
  onTestFinished(nginx.stop)
  const servers = [nginx, ...instances]
  return {
    url: `http://127.0.0.1:${nginx.ports[0]}`,
    log: () => servers.map((server) => server.log()).join(''),
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}
