import { NOT_FOUND } from '../core/exit-status.ts'
import { type Finding, hasError } from '../core/finding.ts'
import { findRunning } from '../homes/container/running.ts'
import { findHome } from '../homes/find-home.ts'
import { type Prepared, prepare } from '../homes/home.ts'
import type { Host } from '../host/host.ts'
import { type Log, type PhpStart, ProbeSilent } from '../php/ask.ts'
import { learn, OFFLINE } from '../php/look-around.ts'
import { secretsOf, settingsQuestion } from '../php/questions.ts'
import { askForSettings, settingOf, type Web, webOf } from '../php/web/web.ts'
import { startAsWeb } from '../php/web/web-start.ts'
import type { Surroundings } from '../stores/store.ts'

/** The sessions of an app: where they are, and the PHP that can use them there. */
export interface AppSessions {
  readonly host: Host
  readonly prepared: Prepared
  /** What a store's client needs to know besides its endpoint. */
  readonly surroundings: Surroundings
  /** The PHP that serves the app. */
  readonly web: Web
  /** Starts PHP on the command line with the ini files of that PHP. */
  readonly start: PhpStart
}

export type Flags = Readonly<Record<string, string>>

/**
 * Finds the sessions of an app, or says why a command can do nothing: for example, the framework keeps them itself.
 * It asks the PHP of the app, but nothing over the network.
 */
export function findSessions(given: Host, flags: Flags, log: Log): AppSessions | readonly Finding[] {
  const { host, php: running } = findRunning(given)
  const { home, php: start, fpm } = findHome(host, flags, running)
  const prepared = prepare(home, OFFLINE)
  const { plan, facts, pools, input } = prepared
  if (hasError(plan.findings)) return plan.findings
  try {
    const question = settingsQuestion(plan, fpm, pools)
    const answer = askForSettings(host, start, question, log)
    const web = webOf(answer)
    const php = facts === undefined ? home.php.known : learn(home.php.known, facts, home.php.isReadLater)
    const refusals = [
      ...refuseFramework(prepared),
      ...refusePlace(prepared, web),
      ...refusePhp(answer.version),
    ]
    if (refusals.length > 0) return refusals
    return {
      host,
      prepared,
      surroundings: { options: input.options, php, directory: home.filesDirectory, master: undefined },
      web,
      start: startAsWeb(start, web),
    }
  } catch (error) {
    if (error instanceof ProbeSilent) return [silent(error)]
    throw error
  }
}

/** Whether a command can do nothing. */
export function isRefused(found: AppSessions | readonly Finding[]): found is readonly Finding[] {
  return Array.isArray(found)
}

/** Every secret of the store, which no message may contain. */
export function secretsIn({ prepared }: Pick<AppSessions, 'prepared'>) {
  return secretsOf(prepared.plan)
}

/** A framework with its own session drivers has its own names and formats, whether it uses the bound store or not. */
function refuseFramework({ framework: { recognised, variables } }: Prepared): readonly Finding[] {
  if (recognised === undefined) return []
  const { name, verdict, where, from } = recognised
  if (variables.length === 0 && ['php', 'none'].includes(verdict)) return []
  return [
    {
      id: 'sessions.framework',
      level: 'error',
      title: `${name} keeps its sessions itself, not through PHP's session handler: ${variables.length > 0 ? 'in the bound service, in a format of its own' : where}`,
      from,
      fix: `use the tools of ${name}; this command reads only what PHP's session handlers write`,
    },
  ]
}

/** An app's own settings may keep the sessions elsewhere than the plan says. */
function refusePlace({ plan, kept }: Prepared, web: Web): readonly Finding[] {
  const handler = settingOf(web, 'session.save_handler')
  const [whole] = kept
  const isElsewhere = whole?.pages === '' && whole.place !== undefined
  const isKnown = plan.planned === undefined ? ['files', ''].includes(handler.value ?? '') : !isElsewhere
  if (isKnown) return []
  return [
    {
      id: 'sessions.elsewhere',
      level: 'error',
      title: `sessions are kept by PHP's handler ${handler.value}, with the app's own settings, not in ${plan.planned === undefined ? 'local files' : `the service ${plan.planned.service}`}`,
      from: whole?.because?.from ?? handler.from ?? web.name,
      fix: 'bind the service that has them, or name it in PHP_SESSIONS_SERVICE, and remove these settings',
    },
  ]
}

/** The client is that of the managed handler. */
function refusePhp(version: string | undefined): readonly Finding[] {
  const [major = 0, minor = 0] = (version ?? '8.1').split('.').map(Number)
  if (major > 8 || (major === 8 && minor >= 1)) return []
  return [
    {
      id: 'sessions.php',
      level: 'error',
      title: `this command needs PHP 8.1, and PHP ${version} serves the app`,
      from: 'the PHP of the app',
      fix: 'name a newer one with --php PATH',
    },
  ]
}

/** PHP gave no answer, or died. */
export function silent({ command, status }: ProbeSilent): Finding {
  return {
    id: 'sessions.silent',
    level: 'error',
    title: `${status === NOT_FOUND ? 'no PHP was found' : 'PHP ended without an answer'} (exit status ${status})`,
    from: command,
    fix:
      status === NOT_FOUND
        ? 'install php-cli, or say where PHP is with --php PATH'
        : 'run php-sessions doctor',
  }
}
