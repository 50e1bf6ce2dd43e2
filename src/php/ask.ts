import { isObject, type Json, type JsonObject, parseJson } from '../core/binding.ts'
import { KILLED } from '../core/exit-status.ts'
import { DEFAULT_COMMAND } from '../core/php.ts'
import { Secret } from '../core/secret.ts'
import type { Host } from '../host/host.ts'
import { makeTemporary, temporaryDirectory } from '../host/temporary.ts'
import serverName from '../stores/handler/connection/server-name.php'
import tls from '../stores/handler/connection/tls.php'
import { COMMON_CLIENT, withoutHead } from '../stores/handler/join.ts'
import compressed from '../stores/handler/sealing/compressed.php'
import { memcachedClientFiles } from '../stores/memcached/handler/index.ts'
import type {
  ExtensionAnswer,
  LookAroundAnswer,
  MemcachedAnswer,
  NetworkAnswer,
  PreviousAnswer,
  RedisAnswer,
  SessionAnswer,
  SettingsAnswer,
} from './answers.ts'
import extension from './probes/extension.php'
import iniFiles from './probes/ini-files.php'
import lookAround from './probes/look-around.php'
import phpFpm from './probes/php-fpm.php'
import prelude from './probes/prelude.php'
import certificates from './probes/servers/certificates.php'
import connect from './probes/servers/connect.php'
import greetings from './probes/servers/greetings.php'
import handlerCommands from './probes/servers/handler-commands.php'
import memcached from './probes/servers/memcached.php'
import memcachedCommands from './probes/servers/memcached-commands.php'
import network from './probes/servers/network.php'
import previous from './probes/servers/previous.php'
import redis from './probes/servers/redis.php'
import session from './probes/session.php'
import settings from './probes/settings.php'

/** The limit of most probes: the doctor must name a frozen server within five seconds. */
export const LIMIT_SECONDS = 3

/** What each probe answers. */
export interface Answers {
  readonly settings: SettingsAnswer
  readonly extension: ExtensionAnswer
  readonly network: NetworkAnswer
  readonly redis: RedisAnswer
  readonly memcached: MemcachedAnswer
  readonly previous: PreviousAnswer
  readonly session: SessionAnswer
  readonly 'look-around': LookAroundAnswer
}

export type ProbeName = keyof Answers

interface Probe {
  /** The PHP files that follow the prelude. */
  readonly files: readonly string[]
  readonly limitSeconds: number
  /** Overrides of settings that would disturb this probe. */
  readonly overrides?: readonly string[]
}

const PROBES: Readonly<Record<ProbeName, Probe>> = {
  settings: { files: [iniFiles, phpFpm, settings], limitSeconds: LIMIT_SECONDS },
  extension: { files: [extension], limitSeconds: LIMIT_SECONDS },
  network: { files: [tls, certificates, greetings, network], limitSeconds: LIMIT_SECONDS },
  redis: { files: [tls, certificates, connect, handlerCommands, redis], limitSeconds: LIMIT_SECONDS },
  memcached: {
    files: [...COMMON_CLIENT, ...memcachedClientFiles, memcachedCommands, memcached],
    limitSeconds: LIMIT_SECONDS,
  },
  previous: { files: [previous], limitSeconds: LIMIT_SECONDS },
  // It waits for a lock on purpose, and for a second PHP. An earlier check has named a frozen server.
  // It changes settings of sessions, which a PHP with the fix of CVE-2026-115560 refuses while uploads are watched.
  session: { files: [session], limitSeconds: 6, overrides: ['session.upload_progress.enabled=0'] },
  // As long as a start waits for PHP and the Sentinels, so that explain does not give up earlier than a start.
  'look-around': {
    files: [iniFiles, phpFpm, tls, certificates, serverName, connect, compressed, lookAround],
    limitSeconds: 18,
  },
}

export function limitSecondsOf(name: ProbeName): number {
  return PROBES[name].limitSeconds
}

/** A question may hold secrets. They are in clear only on PHP's stdin, which nobody else can read. */
export type Question = Json | Secret | readonly Question[] | { readonly [name: string]: Question }

/** A program of PHP, and arguments before those of php-sessions. */
export type PhpCommand = readonly [file: string, ...args: string[]]

/** How to start a PHP on the command line, with the ini files of the PHP that serves the app. */
export interface PhpStart {
  readonly command: PhpCommand
  readonly env: Readonly<Record<string, string>>
  /** Whether it stands for PHP in Apache. */
  readonly isApache?: boolean
}

/** Starts a PHP, by its path or its name in PATH, with its own ini files. */
export function startOf(file: string = DEFAULT_COMMAND): PhpStart {
  return { command: [file], env: {} }
}

/** PHP gave no answer to a question. */
export class ProbeSilent extends Error {
  readonly command: string
  readonly status: number
  /** How long php-sessions waited for it. */
  readonly limitSeconds: number

  constructor(command: string, status: number, limitSeconds: number) {
    super(`no answer, exit status ${status}`)
    this.command = command
    this.status = status
    this.limitSeconds = limitSeconds
  }
}

/** Gets the question and answer of a probe, for `--debug`: the question without secrets, the answer unchanged. */
export type Log = (text: string) => void

/**
 * Runs a probe in a PHP and returns its last answer, within the limit of the probe or an earlier one. The name of the
 * probe is the last argument of that PHP.
 *
 * The answer is for php-sessions, not for people: text of PHP and servers in it may contain a secret (`makeMask`).
 */
export function askPhp<Name extends ProbeName>(
  host: Host,
  { command, env }: PhpStart,
  name: Name,
  question: Question,
  log: Log,
  limitSeconds = limitSecondsOf(name),
): Partial<Answers[Name]> {
  const { files, overrides = [] } = PROBES[name]
  const program: PhpProgram = {
    name,
    source: `src/php/probes/${name}.php`,
    code: [prelude, ...files].map(withoutHead).join('\n'),
    overrides,
    limitSeconds,
    keepsStderr: false,
  }
  // A probe that has crashed gives no answer; of the session probe the crash itself is the answer.
  return askProgram(host, { command, env }, program, question, log, name === 'session') as Partial<
    Answers[Name]
  >
}

/** PHP code that reads a question and answers it, as src/php/probes/prelude.php says. */
export interface PhpProgram {
  /** The last argument of its PHP. */
  readonly name: string
  /** Its file, which `--debug` names in place of the code. */
  readonly source: string
  readonly code: string
  /** Overrides of settings that would disturb it. */
  readonly overrides: readonly string[]
  readonly limitSeconds: number
  /** Whether it writes progress for people to stderr. */
  readonly keepsStderr: boolean
}

/** Runs a program in a PHP and returns its last answer; throws `ProbeSilent` without one, or if PHP has crashed. */
export function askProgram(
  host: Host,
  { command, env }: PhpStart,
  { name, source, code, overrides, limitSeconds, keepsStderr }: PhpProgram,
  question: Question,
  log: Log,
  mayCrash = false,
): JsonObject {
  const [file = '', ...args] = [...command, ...asOptions([QUESTION_MARK, ...QUIET, ...overrides])]
  const start = host.now()
  const { status, stdout } = withDirectory(host, question, (asked) =>
    host.run({
      file,
      args: [...args, '-r', code, '--', name],
      env,
      stdin: reveal(asked),
      limitSeconds,
      keepsStderr,
    }),
  )
  const answer = lastAnswer(stdout)
  const spoken = [file, ...args, '-r', `(${source})`].join(' ')
  log(
    `${spoken}\n  asked ${JSON.stringify(question)}\n  answered ${JSON.stringify(answer ?? null)}\n  exit status ${status}, ${Math.round(1000 * (host.now() - start))} ms\n`,
  )
  if (answer === undefined) throw new ProbeSilent(spoken, status, limitSeconds)
  if (status !== 0 && status !== KILLED && !mayCrash) throw new ProbeSilent(spoken, status, limitSeconds)
  return { ...answer, exitStatus: status }
}

/**
 * Adds a new directory to a question with certificates, because PHP reads those only from files. It is removed here,
 * because PHP may be killed while a client's key is in it.
 */
function withDirectory<T>(host: Host, question: Question, ask: (question: Question) => T): T {
  if (!hasCertificates(question)) return ask(question)
  const directory = `${temporaryDirectory(host)}/php-sessions-ask-${host.uniqueWord()}`
  makeTemporary(host, directory, { mode: 0o700 }, () => {})
  try {
    return ask({ ...question, directory })
  } finally {
    host.removeDirectory(directory)
  }
}

type Questions = { readonly [name: string]: Question }

/** Whether a question, or one within it, has certificates. */
function hasCertificates(question: Question): question is Questions {
  if (!isQuestions(question)) return false
  const isThere = (name: string) => (question[name] ?? null) !== null
  return ['ca', 'clientCertificate'].some(isThere) || Object.values(question).some(hasCertificates)
}

function isQuestions(question: Question): question is Questions {
  const isText = question instanceof Secret || Array.isArray(question)
  return typeof question === 'object' && question !== null && !isText
}

/** Tells a probe where php-sessions' own options begin, as QUESTION_MARK in src/php/probes/ini-files.php. */
const QUESTION_MARK = 'php-sessions.question=1'

/** Overrides the app's settings that would disturb a probe. */
const QUIET = [
  ...['session.auto_start=0', 'display_errors=0', 'log_errors=0', 'disable_functions=', 'open_basedir='],
  'output_buffering=0',
]

function asOptions(settings: readonly string[]): readonly string[] {
  return settings.flatMap((setting) => ['-d', setting])
}

function lastAnswer(stdout: string): JsonObject | undefined {
  const answers = stdout.split('\n').map(parseJson).filter(isObject)
  return answers.at(-1)
}

function reveal(question: Question): string {
  return JSON.stringify(question, function (this: Readonly<Record<string, unknown>>, key, value) {
    // The value is toJSON's result for the secret, dots; the object still has the secret itself.
    const original = this[key]
    return original instanceof Secret ? original.reveal() : value
  })
}
