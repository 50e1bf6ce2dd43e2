import { WRONG_USAGE } from '../core/exit-status.ts'
import { OPTIONS } from '../core/options.ts'
import { checks } from '../doctor/checks/index.ts'
import { doctor } from '../doctor/doctor.ts'
import { explain } from '../explain/explain.ts'
import { launch } from '../homes/cloudfoundry/launch.ts'
import { finalize, supply } from '../homes/cloudfoundry/supply.ts'
import { cnbBuild, cnbDetect } from '../homes/cnb/build.ts'
import { cnbLaunch } from '../homes/cnb/launch.ts'
import { exec } from '../homes/container/exec.ts'
import { ini } from '../homes/machine/ini.ts'
import type { Host } from '../host/host.ts'
import { startOf } from '../php/ask.ts'
import { findApacheModule } from '../php/web/apache-module.ts'
import { copySessions } from '../sessions/copy.ts'
import { countSessions } from '../sessions/count.ts'
import { endSessions } from '../sessions/end.ts'
import { listLocks } from '../sessions/locks.ts'
import { showSession } from '../sessions/show.ts'
import { watch } from '../watch/watch.ts'
import { watchedByExec, watchedOnCloudFoundry, withWatch } from '../watch/watched.ts'

/** A flag, with a value or without. */
export interface Flag {
  /** What the help calls its value; absent for a switch, which is `on` when given. */
  readonly value?: string
  readonly meaning: string
  /** Its short form: a letter after a single hyphen. */
  readonly letter?: string
  /** What the value must look like; absent where any text is accepted. */
  readonly pattern?: RegExp
  /** Whether the command needs it. */
  readonly isRequired?: boolean
}

/** A command of php-sessions. The table of commands also renders the help. */
export interface Command {
  readonly name: string
  readonly meaning: string
  /** The names of the arguments, all required. */
  readonly parameters: readonly string[]
  /** The name of an argument that may follow them. */
  readonly optional?: string
  /** Words that may follow, any number of them. */
  readonly choices?: { readonly name: string; readonly words: readonly string[] }
  /** What must follow `--`; the command passes it on unchanged. */
  readonly trailing?: string
  readonly flags: Readonly<Record<string, Flag>>
  readonly examples: readonly string[]
  /** Whether only scripts call it, not people. */
  readonly isInternal?: boolean
  run(host: Host, args: readonly string[], flags: Readonly<Record<string, string>>): number | Promise<number>
}

const DEBUG: Flag = { meaning: 'show on stderr what PHP was asked and answered' }

/** The flags of commands that examine an app and its PHP. */
const TARGET_FLAGS: Command['flags'] = {
  app: { value: 'DIR', meaning: 'app directory, for settings and framework; default: .' },
  php: { value: 'PATH', meaning: 'the PHP to ask; default: that of php_buildpack, or php' },
  fpm: { value: 'PATH', meaning: 'its php-fpm; none: ask only PHP on the command line' },
  json: { meaning: 'print one JSON object' },
}

export const commands: readonly Command[] = [
  {
    name: 'ini',
    meaning: 'print PHP settings for the bound service, passwords in clear',
    parameters: [],
    flags: {
      app: { value: 'DIR', meaning: 'app directory, with .bp-config/options.json; default: .' },
      'php-version': {
        value: 'X.Y',
        meaning: 'the PHP that will read the settings; default: that of php',
        pattern: /^[5-9](\.[0-9]+)*$/,
      },
      output: { value: 'FILE', meaning: 'write the settings to a file with mode 0600 instead' },
    },
    examples: ['php-sessions ini', 'php-sessions ini --output /run/php/00-php-sessions.ini'],
    run: (host, _args, flags) =>
      ini(host, { app: flags.app ?? '.', version: flags['php-version'], output: flags.output }),
  },
  {
    name: 'exec',
    meaning: 'for containers: run a command whose PHP uses the bound service',
    parameters: [],
    trailing: 'COMMAND...',
    flags: {
      app: { value: 'DIR', meaning: 'app directory, with .bp-config/options.json; default: .' },
      watch: { meaning: 'follow new credentials and a new Sentinel master' },
    },
    examples: ['php-sessions exec -- php-fpm', 'php-sessions exec --watch -- php-fpm'],
    run: (host, command, flags) =>
      exec(flags.watch === undefined ? host : withWatch(host), flags.app ?? '.', command),
  },
  {
    name: 'explain',
    meaning: 'say where sessions are kept and why, without using the network',
    parameters: [],
    flags: {
      ...TARGET_FLAGS,
      acl: { meaning: 'print the ACL SETUSER command for a Redis user' },
      operator: { meaning: 'with --acl: a user for sessions, locks and copy' },
    },
    examples: ['php-sessions explain', 'php-sessions explain --acl'],
    run: (host, _args, flags) => explain(host, flags),
  },
  {
    name: 'doctor',
    meaning: 'check each step from the binding to a real PHP session',
    parameters: [],
    choices: { name: 'ID', words: checks.map(({ id }) => id) },
    flags: {
      ...TARGET_FLAGS,
      strict: { meaning: 'fail on warnings, too' },
      list: { meaning: 'list the checks without running them' },
      verbose: { letter: 'v', meaning: 'also show what is fine, with times' },
      debug: DEBUG,
      color: {
        value: 'WHEN',
        meaning: 'always, never or auto; default: auto',
        pattern: /^(always|never|auto)$/,
      },
    },
    examples: [
      'php-sessions doctor',
      'php-sessions doctor tls.handshake',
      'cf ssh APP -t -c "/tmp/lifecycle/shell app php-sessions doctor"',
    ],
    run: (host, ids, flags) => doctor(host, ids, flags),
  },
  {
    name: 'sessions',
    meaning: 'count the sessions: how many, how large, how active',
    parameters: [],
    flags: {
      ...TARGET_FLAGS,
      since: { value: 'FILE', meaning: 'also show the changes since this earlier --json' },
      ids: { meaning: 'show the ids of the largest; keep ids secret' },
      debug: DEBUG,
    },
    examples: ['php-sessions sessions', 'php-sessions sessions --json'],
    run: (host, _args, flags) => countSessions(host, flags),
  },
  {
    name: 'sessions show',
    meaning: 'show what is in a session, without its values',
    parameters: ['ID'],
    flags: { ...TARGET_FLAGS, values: { meaning: 'show the values, too' }, debug: DEBUG },
    examples: ['php-sessions sessions show 4f0c8b…', 'php-sessions sessions show 4f0c8b… --values'],
    run: (host, [id = ''], flags) => showSession(host, id, flags),
  },
  {
    name: 'sessions end',
    meaning: 'log out: end one session, some, or all',
    parameters: [],
    optional: 'ID',
    flags: {
      ...TARGET_FLAGS,
      where: { value: 'NAME=VALUE', meaning: 'those where NAME is VALUE, or where NAME is set' },
      all: { meaning: 'all of them' },
      yes: { meaning: 'do not ask; required without a terminal' },
      debug: DEBUG,
    },
    examples: ['php-sessions sessions end --where user_id=42', 'php-sessions sessions end --all --yes'],
    run: (host, [id], flags) => endSessions(host, id, flags),
  },
  {
    name: 'locks',
    meaning: 'list the locked sessions and the requests that hold them',
    parameters: [],
    flags: {
      ...TARGET_FLAGS,
      ids: { meaning: 'show the ids of the sessions; keep ids secret' },
      debug: DEBUG,
    },
    examples: ['php-sessions locks', 'php-sessions locks --json'],
    run: (host, _args, flags) => listLocks(host, flags),
  },
  {
    name: 'playground',
    meaning: 'watch sessions being lost and kept, in a small Cloud Foundry',
    parameters: [],
    optional: 'APP_DIR',
    flags: {
      list: { meaning: 'list the scenes' },
      scenario: { value: 'NAMES', meaning: 'begin with this scene' },
      headless: { meaning: 'play scenes, or all, here; exit status 1: promise broken' },
      lanes: { value: 'LANES', meaning: 'for example files,native:redis,managed:sentinel' },
      instances: { value: 'N', meaning: 'instances in each lane; default: 2', pattern: /^[1-4]$/ },
      port: { value: 'N', meaning: 'port of the page; default: any', pattern: /^[0-9]{1,5}$/ },
    },
    examples: ['php-sessions playground', 'php-sessions playground --scenario crash --headless'],
    run: (host, args, flags) => {
      if (host.playground !== undefined) return host.playground(args, flags)
      host.err('the playground is in the npm package: run npx php-sessions playground, with Node.js\n')
      return WRONG_USAGE
    },
  },
  {
    name: 'copy',
    meaning: 'copy the sessions of another store into the bound one',
    parameters: [],
    flags: {
      from: {
        value: 'PLACE',
        meaning: 'required: a bound service, files, or a directory of files',
        isRequired: true,
      },
      to: { value: 'PLACE', meaning: 'default: the store that keeps the sessions' },
      'from-prefix': { value: 'TEXT', meaning: 'prefix of the keys there, if it differs from here' },
      'to-prefix': { value: 'TEXT', meaning: 'prefix of the copied keys' },
      ...TARGET_FLAGS,
      debug: DEBUG,
    },
    examples: ['php-sessions copy --from old-redis', 'php-sessions copy --from files'],
    run: (host, _args, flags) => copySessions(host, flags),
  },
  {
    name: 'supply',
    meaning: 'staging: check the binding, install the launch step',
    parameters: ['BUILD_DIR', 'CACHE_DIR', 'DEPS_DIR', 'DEPS_IDX'],
    flags: {},
    examples: [],
    isInternal: true,
    run: (host, [build = '', , deps = '', index = '']) => supply(host, build, deps, index),
  },
  {
    name: 'finalize',
    meaning: 'staging, if listed last: say that php_buildpack must come last',
    parameters: ['BUILD_DIR', 'CACHE_DIR', 'DEPS_DIR', 'DEPS_IDX', 'PROFILE_DIR'],
    flags: {},
    examples: [],
    isInternal: true,
    run: (host) => finalize(host),
  },
  {
    name: 'launch',
    meaning: 'start: write the ini file, print exports for the shell',
    parameters: [],
    flags: {},
    examples: [],
    isInternal: true,
    run: (host) => launch(host),
  },
  {
    name: 'watch',
    meaning: 'beside the app: follow what is bound, reload php-fpm',
    parameters: [],
    flags: {
      app: { value: 'DIR', meaning: 'app directory; default: .' },
      directory: { value: 'DIR', meaning: 'the directory of exec; default: that of php_buildpack' },
      php: { value: 'PATH', meaning: 'the PHP to ask; default: php' },
      apache: { meaning: 'the PHP to ask is that of Apache' },
      command: { value: 'PID', meaning: 'the process that exec started', pattern: /^[0-9]+$/ },
      group: { value: 'GID', meaning: "the group ID of php-fpm's workers", pattern: /^[0-9]+$/ },
      reader: { value: 'GID', meaning: 'the same, where it also reads the ini', pattern: /^[0-9]+$/ },
    },
    examples: [],
    isInternal: true,
    run: (host, _args, flags) => {
      const watched =
        flags.directory === undefined
          ? watchedOnCloudFoundry(host)
          : watchedByExec(host, flags.app ?? '.', flags.directory, {
              php: flags.apache === undefined ? startOf(flags.php) : findApacheModule(host),
              command: numberIn(flags.command),
              group: numberIn(flags.reader ?? flags.group),
              readsIni: flags.reader !== undefined,
            })
      return watched === undefined ? 0 : watch(host, watched)
    },
  },
  {
    name: 'cnb-detect',
    meaning: 'detect phase of Cloud Native Buildpacks: pass for a PHP app',
    parameters: [],
    flags: {},
    examples: [],
    isInternal: true,
    run: (host) => cnbDetect(host),
  },
  {
    name: 'cnb-build',
    meaning: 'build phase: check the binding, write the launch layer',
    parameters: [],
    flags: {},
    examples: [],
    isInternal: true,
    run: (host) => cnbBuild(host),
  },
  {
    name: 'cnb-launch',
    meaning: 'launch phase: write the ini file, print variables as TOML',
    parameters: [],
    flags: {},
    examples: [],
    isInternal: true,
    run: (host) => cnbLaunch(host),
  },
]

function numberIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}

/** Renders the help of php-sessions; fits 80 columns. */
export function renderHelp(): string {
  const nameWidth = Math.max(...commands.map(({ name }) => name.length))
  const list = (commandsToList: readonly Command[]) =>
    commandsToList.map(({ name, meaning }) => `  ${name.padEnd(nameWidth)}  ${meaning}\n`).join('')
  return `Keeps PHP sessions in the Redis, Valkey or Memcached service bound to the app.

Usage: php-sessions COMMAND [OPTIONS]

Commands:
${list(commands.filter(({ isInternal }) => !isInternal))}
Called by the buildpack and by exec:
${list(commands.filter(({ isInternal }) => isInternal))}
  --help, help COMMAND   this help, or the help of a command
  --version              the version
  --licences             authors and licences of the software in it

Settings, in the environment or in .bp-config/options.json:
${Object.keys(OPTIONS)
  .map((name) => `  ${name}\n`)
  .join('')}  (php-sessions help options explains them)

Exit status: 0 all is well, 1 something is wrong with the binding or settings,
2 wrong usage, 70 a fault in php-sessions; exec exits as its command does.
`
}

/** Renders the help of one command; fits 80 columns. */
export function renderCommandHelp(command: Command): string {
  const { name, meaning, parameters, optional, choices, trailing, flags, examples } = command
  const flagList = Object.entries(flags)
  const words = [
    ...(flagList.length === 0 ? [] : ['[OPTIONS]']),
    ...parameters,
    ...(optional === undefined ? [] : [`[${optional}]`]),
    ...(choices === undefined ? [] : [`[${choices.name}...]`]),
    ...(trailing === undefined ? [] : ['--', trailing]),
  ]
  const usage = ['php-sessions', name, ...words].join(' ')
  const options = flagList.map(([flag, { value, letter, meaning: about }]) => {
    const long = value === undefined ? `--${flag}` : `--${flag} ${value}`
    return `  ${(letter === undefined ? long : `-${letter}, ${long}`).padEnd(20)} ${about}\n`
  })
  return [
    examples.map((example) => `  ${example}\n`).join(''),
    `${name}: ${meaning}\n\nUsage: ${usage}\n`,
    options.join(''),
  ]
    .filter((part) => part !== '')
    .join('\n')
}

/** Renders what every setting means; fits 80 columns. */
export function renderOptionsHelp(): string {
  const entries = Object.entries(OPTIONS).map(([name, option]) => {
    const value = option.default === '' ? option.expected : `${option.expected}; default: ${option.default}`
    return `${name}\n${wrap(option.meaning)}${wrap(`(${value})`)}`
  })
  return `Settings, in the environment or in .bp-config/options.json of the app.\nThe environment takes precedence.\n\n${entries.join('\n')}`
}

function wrap(text: string): string {
  const lines = text.match(/.{1,74}(?:\s|$)/g) ?? []
  return lines.map((line) => `    ${line.trim()}\n`).join('')
}
