import type { JsonObject } from '../../src/core/binding.ts'
import type { Host } from '../../src/host/host.ts'
import { nodeHost } from '../../src/host/node.ts'
import { type AppSessions, findSessions, isRefused } from '../../src/sessions/app-sessions.ts'
import { askSessions } from '../../src/sessions/program.ts'
import type { Machine } from './doctor/machine.ts'

/** The machine as a host for code of php-sessions in this process. */
export function hostOf({ env }: Machine): Host {
  return { ...nodeHost, env, run: (program) => nodeHost.run({ ...program, env: { ...env, ...program.env } }) }
}

/** The sessions of the app on a machine. */
export function sessionsOn(machine: Machine): AppSessions {
  const found = findSessions(hostOf(machine), { app: `${machine.directory}/app` }, () => undefined)
  if (isRefused(found)) throw new Error(JSON.stringify(found))
  return found
}

/** Runs PHP code with the sessions of a machine in `$store`; gives the array that it returns. */
export function askStore(machine: Machine, code: string): JsonObject {
  const file = `<?php\n\nnamespace PhpSessions;\n\nanswer(function (): array {\n$store = openStore('main');\n${code}\n});\n`
  return askSessions(sessionsOn(machine), { name: 'test', files: [file] }, {}, () => undefined) as JsonObject
}
