import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../processes/command.ts'
import { startServer } from '../processes/server.ts'

export interface Mariadb {
  readonly host: '127.0.0.1'
  readonly port: number
  stop(): Promise<void>
}

export interface MariadbOptions {
  /** The folder that has MariaDB's `bin` and `share`. */
  readonly home: string
  /** The folder of libraries that the machine does not have. */
  readonly libraries: string
  /** Statements that root executes first, one a line. */
  readonly statements: readonly string[]
}

/** The files that mariadb-install-db gives the server; that script needs the client's programs, which are not there. */
const SYSTEM_TABLES = ['mysql_system_tables', 'mysql_performance_tables', 'mysql_system_tables_data']

/** MariaDB refuses to run as root unless told to. */
const USER = process.getuid?.() === 0 ? ['--user=root'] : []

/** Starts a MariaDB that is as small as possible. */
export async function startMariadb({ home, libraries, statements }: MariadbOptions): Promise<Mariadb> {
  const env = { PATH: process.env.PATH, LD_LIBRARY_PATH: libraries }
  const server = await startServer({
    name: 'mariadb',
    ports: 1,
    command: async ({ directory, ports: [port] }) => {
      const data = join(directory, 'data')
      mkdirSync(data)
      const args = [
        '--no-defaults',
        `--basedir=${home}`,
        `--datadir=${data}`,
        ...USER,
        '--innodb-log-file-size=4M',
        '--innodb-buffer-pool-size=8M',
        '--innodb-fast-shutdown=2',
        '--innodb-flush-method=nosync',
        '--innodb-data-file-path=ibdata1:4M:autoextend',
      ]
      const file = join(home, 'bin/mariadbd')
      await makeSystemTables({ home, directory, command: [file, ...args], env })
      const first = join(directory, 'first.sql')
      writeFileSync(first, `${statements.join('\n')}\n`)
      return {
        file,
        args: [
          ...args,
          '--bind-address=127.0.0.1',
          '--skip-name-resolve',
          `--port=${port}`,
          `--socket=${directory}/socket`,
          `--pid-file=${directory}/pid`,
          `--init-file=${first}`,
        ],
        env,
      }
    },
  })
  const [port = 0] = server.ports
  return { host: '127.0.0.1', port, stop: server.stop }
}

interface Making {
  readonly home: string
  readonly directory: string
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

async function makeSystemTables({ home, directory, command, env }: Making): Promise<void> {
  const begin = join(directory, 'begin.sql')
  writeFileSync(begin, 'CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n')
  const files = [begin, ...SYSTEM_TABLES.map((name) => join(home, `share/mysql/${name}.sql`))]
  const script = `n=$1; shift; cat "\${@:1:n}" | "\${@:n+1}" --bootstrap`
  const args = ['-c', script, 'bootstrap', String(files.length), ...files, ...command]
  const { status, log } = await runCommand({ file: 'bash', args, env })
  if (status !== 0) throw new Error(`MariaDB made no system tables:\n${log}`)
}
