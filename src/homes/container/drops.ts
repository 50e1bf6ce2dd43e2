import type { Host } from '../../host/host.ts'
import { type Group, groupNamed, groupOfUser, uidOf } from './accounts.ts'
import { nameOf, type Started } from './started.ts'

/** A command that runs the rest of its words as another user. */
export interface Drop {
  /** The user as it is written, e.g. `www-data` or `$USER`. */
  readonly user: string
  /** Undefined where the user is not known. */
  readonly group: Group | undefined
  /** The program and the place of the call, for messages. */
  readonly from: string
  /** Whether it runs PHP, as far as the words say. */
  readonly isOfPhp: boolean
}

/** The user that a program changes to, according to the words after it. */
interface Wanted {
  readonly user: string | undefined
  readonly group?: string | undefined
  /** Whether a user without a group gets its primary group; otherwise it keeps the caller's. */
  readonly hasOwnGroup?: boolean
}

/** The programs that change the user, and the syntax of each. */
const DROPPERS: Readonly<Record<string, (args: readonly string[]) => Wanted>> = {
  gosu: ([account]) => split(account),
  'su-exec': ([account]) => split(account),
  's6-setuidgid': ([account]) => split(account),
  setuidgid: ([account]) => split(account),
  chpst: (args) => split(option(args, '-u')),
  setpriv: (args) => ({
    user: option(args, '--reuid'),
    group: option(args, '--regid'),
    hasOwnGroup: args.includes('--init-groups'),
  }),
  su: switchUser,
  runuser: switchUser,
  sudo: (args) => ({ user: option(args, '-u', '--user') ?? 'root', group: option(args, '-g', '--group') }),
  'start-stop-daemon': (args) => split(option(args, '-c', '--chuid')),
}

/** Finds where commands change the user, by their own words or by the supervisor that starts them. */
export function findDrops(host: Host, commands: readonly Started[]): readonly Drop[] {
  const assigned = assignmentsIn(commands)
  return commands.flatMap((command) => {
    const supervisor = command.user === undefined ? [] : [{ wanted: split(command.user), name: 'user =' }]
    const own = callsIn(command).flatMap(({ name, args }) => {
      const wanted = Object.hasOwn(DROPPERS, name) ? DROPPERS[name]?.(args) : undefined
      return wanted?.user === undefined ? [] : [{ wanted, name }]
    })
    return [...supervisor, ...own].flatMap(({ wanted, name }) => {
      const drop = resolve(host, wanted, { ...assigned, ...host.env })
      return drop === undefined
        ? []
        : [{ ...drop, from: `${name} in ${command.from}`, isOfPhp: runsPhp(command, commands) }]
    })
  })
}

/** Whether PHP is among the words of a command, or among those of exec where a script passes these on. */
function runsPhp({ words }: Started, [own]: readonly Started[]): boolean {
  const all = words.some((word) => /^\$[@*]$/.test(word)) ? [...words, ...(own?.words ?? [])] : words
  return all.some((word) => /(^|[/\s])(php|apache|httpd|artisan)/.test(word))
}

/** What may precede a program in a line of a script. In the command of exec that may be anything. */
const BEFORE =
  /^(exec|env|command|if|elif|then|else|do|while|!|time|nice|tini|dumb-init|with-contenv|[-{(&|]+|-g|\w+=.*)$/

/** The programs that a command calls one through the other, with the words behind each. */
function callsIn({
  words,
  isLine,
}: Started): readonly { readonly name: string; readonly args: readonly string[] }[] {
  const first = words.findIndex((word) => !BEFORE.test(word))
  return words.flatMap((word, at) =>
    isLine && at > first && !(at > 0 && BEFORE.test(words[at - 1] ?? ''))
      ? []
      : [{ name: nameOf(word), args: words.slice(at + 1) }],
  )
}

/** The variables that scripts set; the first value counts. */
function assignmentsIn(commands: readonly Started[]): Variables {
  const pairs = commands.flatMap(({ words }) => words.map((word) => /^(\w+)=(.+)$/.exec(word)))
  return Object.fromEntries(pairs.flatMap((pair) => (pair === null ? [] : [[pair[1], pair[2]]])).reverse())
}

type Variables = Readonly<Record<string, string | undefined>>

/** Undefined for root, who can read everything. */
function resolve(host: Host, wanted: Wanted, variables: Variables): Pick<Drop, 'user' | 'group'> | undefined {
  const [user = '', group] = [wanted.user, wanted.group].map((word) =>
    expand(variables, expand(variables, word)),
  )
  const uid = uidOf(host, user)
  if (uid === 0) return undefined
  // Without an entry in /etc/passwd the programs keep root's group.
  const ownGroup = wanted.hasOwnGroup === false ? undefined : groupOfUser(host, user).gid
  const found =
    group === undefined ? { gid: ownGroup ?? 0, name: `the group of ${user}` } : groupNamed(host, group)
  return { user, group: uid === undefined || found.gid === undefined ? undefined : found }
}

/** Expands variables: `$USER`, `${USER}`, `${USER:-www-data}`. */
function expand(variables: Variables, word: string | undefined): string | undefined {
  return word?.replace(
    /\$(?:(\w+)|\{(\w+)(?::?[-=]([^}]*))?\})/g,
    (whole, plain, braced, usual) => variables[plain ?? braced] ?? usual ?? whole,
  )
}

/** `USER`, `USER:GROUP` or, with `chpst`, more groups behind further colons. */
function split(account: string | undefined): Wanted {
  const [user, group] = account?.replace(/^:/, '').split(/:(?![-=])/) ?? []
  return { user, group: group === '' ? undefined : group }
}

/** `su` and `runuser`: the user is the first word that is no option, or root. */
function switchUser(args: readonly string[]): Wanted {
  const WITH_VALUE =
    /^(-[cgGsuw]|--(command|group|supp-group|shell|user|session-command|whitelist-environment))$/
  const group = option(args, '-g', '--group')
  const named = option(args, '-u', '--user')
  if (named !== undefined) return { user: named, group }
  const user = args.find((word, at) => !word.startsWith('-') && !WITH_VALUE.test(args[at - 1] ?? ''))
  return { user: user ?? 'root', group }
}

/** The value of an option, behind it or after `=`. */
function option(args: readonly string[], ...names: readonly string[]): string | undefined {
  const at = args.findIndex((word) => names.some((name) => word === name || word.startsWith(`${name}=`)))
  const word = args[at]
  if (word === undefined) return undefined
  return word.includes('=') ? word.slice(word.indexOf('=') + 1) : args[at + 1]
}

/** Programs that give what they start an environment without that of exec, and what to write instead. */
const CLEARING: readonly (readonly [
  isSo: (name: string, args: readonly string[]) => boolean,
  instead: string,
])[] = [
  [
    (name, args) =>
      /^(su|runuser)$/.test(name) && args.some((word) => /^(-|-[a-z]*l[a-z]*|--login)$/.test(word)),
    'without - or --login',
  ],
  [(name, args) => name === 'sudo' && !args.some((word) => /^(-E|--preserve-env.*)$/.test(word)), 'sudo -E'],
  [
    (name, args) => name === 'env' && args.some((word) => /^(-|-i|--ignore-environment)$/.test(word)),
    'env without -i',
  ],
  [(name) => name === 'service', 'the server itself instead of service'],
]

/** A call that removes the settings from the environment of its program. */
export interface Clearing {
  readonly name: string
  readonly instead: string
  readonly from: string
}

export function findClearing(command: Started): readonly Clearing[] {
  if (command.words.some((word) => word.includes('PHP_INI_SCAN_DIR'))) return []
  return callsIn(command).flatMap(({ name, args }) =>
    CLEARING.filter(([isSo]) => isSo(name, args)).map(([, instead]) => ({
      name,
      instead,
      from: command.from,
    })),
  )
}
