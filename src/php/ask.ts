import { isObject, type Json, type JsonObject, parseJson } from '../core/binding.ts'
import { Secret } from '../core/secret.ts'
import type { Host } from '../host/host.ts'
import type {
  ExtensionAnswer,
  MemcachedAnswer,
  NetworkAnswer,
  RedisAnswer,
  SessionAnswer,
  SettingsAnswer,
} from './answers.ts'
import extension from './probes/extension.php'
import memcached from './probes/memcached.php'
import network from './probes/network.php'
import prelude from './probes/prelude.php'
import redis from './probes/redis.php'
import session from './probes/session.php'
import settings from './probes/settings.php'

/** A probe that is killed has its say in this time: a frozen server must have been named in five seconds. */
export const LIMIT_SECONDS = 3

/** The session's waits for a lock on purpose, and for a second PHP; nobody asks it of a server that is frozen. */
const SESSION_SECONDS = 6

export function limitSecondsOf(name: ProbeName): number {
  return name === 'session' ? SESSION_SECONDS : LIMIT_SECONDS
}

/** The exit status of a probe whose time was over. */
export const KILLED = 137

/** What each probe answers. */
export interface Answers {
  readonly settings: SettingsAnswer
  readonly extension: ExtensionAnswer
  readonly network: NetworkAnswer
  readonly redis: RedisAnswer
  readonly memcached: MemcachedAnswer
  readonly session: SessionAnswer
}

export type ProbeName = keyof Answers

const SCRIPTS: Readonly<Record<ProbeName, string>> = {
  settings,
  extension,
  network,
  redis,
  memcached,
  session,
}

/** A question may hold secrets: they are in clear on PHP's stdin, which nobody else can read, and nowhere else. */
export type Question = Json | Secret | readonly Question[] | { readonly [name: string]: Question }

/** How to start a PHP. */
export interface PhpStart {
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** PHP was asked and said nothing, or nothing that is an answer. */
export class ProbeSilent extends Error {
  readonly command: string
  readonly status: number

  constructor(command: string, status: number) {
    super(`no answer, exit status ${status}`)
    this.command = command
    this.status = status
  }
}

/** What a probe did, for `--debug`: without secrets. */
export type Log = (text: string) => void

/** Runs a probe in a PHP and gives its last word. */
export function askPhp<Name extends ProbeName>(
  host: Host,
  { command, env }: PhpStart,
  name: Name,
  question: Question,
  log: Log,
): Partial<Answers[Name]> {
  const [file = '', ...args] = [...command, ...QUIET]
  const start = host.now()
  const { status, stdout } = host.run({
    file,
    args: [...args, '-r', `${prelude}${SCRIPTS[name]}`.replaceAll('<?php', '')],
    env,
    stdin: reveal(question),
    limitSeconds: limitSecondsOf(name),
  })
  const answer = lastAnswer(stdout)
  const spoken = [file, ...args, '-r', `(src/php/${name}.php)`].join(' ')
  log(
    `${spoken}\n  asked ${JSON.stringify(question)}\n  answered ${JSON.stringify(answer ?? null)}\n  exit status ${status}, ${Math.round(1000 * (host.now() - start))} ms\n`,
  )
  if (answer === undefined) throw new ProbeSilent(spoken, status)
  // What a probe said before it broke down is no answer, but for that of which the breakdown is one.
  if (status !== 0 && status !== KILLED && name !== 'session') throw new ProbeSilent(spoken, status)
  return { ...answer, exitStatus: status } as unknown as Partial<Answers[Name]>
}

/** Keeps an app's settings out of the way of ours: what a page may not do, a probe must. */
const QUIET = [
  ...['session.auto_start=0', 'display_errors=0', 'log_errors=0', 'disable_functions=', 'open_basedir='],
  'output_buffering=0',
].flatMap((setting) => ['-d', setting])

function lastAnswer(stdout: string): JsonObject | undefined {
  const answers = stdout.split('\n').map(parseJson).filter(isObject)
  return answers.at(-1)
}

function reveal(question: Question): string {
  return JSON.stringify(question, function (this: Readonly<Record<string, unknown>>, key, value) {
    // What toJSON made of it is dots; the object it is in still has the secret itself.
    const original = this[key]
    return original instanceof Secret ? original.reveal() : value
  })
}
