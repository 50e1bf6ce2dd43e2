import { main } from '../../../src/cli/main.ts'
import { oneLine } from '../../../src/core/text.ts'
import { makeWatcher } from '../../../src/watch/watch.ts'
import type { WatchedHome } from '../../../src/watch/watched.ts'
import type { FakeHost } from '../host/fake-host.ts'
import { comparable } from './worlds.ts'

/** What a command says of a world, in words that can be compared. */
export interface Saying {
  /** `level id: title`, each once. */
  readonly findings: readonly string[]
  /** Those of the app's ini, or of a plan; empty where a start writes none. */
  readonly settings: Readonly<Record<string, string>>
  /** Where the sessions are and why, as far as that is known without the network; empty where a start fails. */
  readonly sentence: string
}

const FINDING = /^([✗!]|php-sessions:) (.*) {2}\(([a-z0-9]+\.[a-z0-9-]+)\)$/gm
const SENTENCE = /^php-sessions: (?:new settings: )?(sessions are kept .*|PHP's handler is set .*)$/gm

function findingsIn(text: string): readonly string[] {
  return unique(
    [...text.matchAll(FINDING)].map(([, mark, title = '', id = '']) => ({
      level: mark === '✗' ? 'error' : 'warn',
      id,
      title,
    })),
  )
}

interface Said {
  readonly level: string
  readonly id: string
  readonly title: string
}

/** Without those of pools that never end a request: a start says them in one line, and not where it fails. */
function unique(findings: readonly Said[]): readonly string[] {
  const others = findings.filter(({ id }) => id !== 'php.hanging')
  return [...new Set(others.map(({ level, id, title }) => `${level} ${id}: ${oneLine(title)}`))].sort()
}

const isFailed = (findings: readonly string[]) => findings.some((finding) => finding.startsWith('error'))

/** The same before and after the Sentinels have named the master. */
const offline = (sentence: string) =>
  sentence.replace(/\((10\.0\.0\.9:6390|the master .*? of the Sentinels .*?)\)(?=, )/, '(MASTER)')

const sentenceIn = (text: string) => offline([...text.matchAll(SENTENCE)].at(-1)?.[1] ?? '')

const settingsIn = (ini: string) =>
  comparable(
    [...ini.matchAll(/^([a-z_.0-9]+) = "?(.*?)"?$/gm)].map(([, name = '', value = '']) => [name, value]),
  )

/** What the start of a home says, and what it has written. */
export function sayingOfStart(
  host: FakeHost,
  { start, ini }: { readonly start: readonly string[]; readonly ini: string },
) {
  main(host, start)
  const findings = findingsIn(host.output.err)
  const isError = isFailed(findings)
  const settings = settingsIn(host.files.get(ini) ?? '')
  return { findings, settings, sentence: isError ? '' : sentenceIn(host.output.err) }
}

/** What `explain` says to people and to scripts. */
export function sayingsOfExplain(makeHost: () => FakeHost) {
  const json = JSON.parse(run(makeHost(), ['explain', '--json'])) as Answer
  const text = run(makeHost(), ['explain'])
  const findings = findingsIn(text)
  const section = /\nSettings\n((?: .*\n)*)/.exec(text)?.[1] ?? ''
  const settings = [...section.matchAll(/^ {2}([a-z_.0-9]+) = (.*)$/gm)].map(
    ([, name = '', value = '']) => [name, value.replace(/^"(.*)"$/, '$1')] as const,
  )
  const last = text.trim().split('\n').at(-1)?.slice(0, -1) ?? ''
  const people: Saying = {
    findings,
    settings: comparable(settings),
    sentence: isFailed(findings)
      ? ''
      : offline(last.replace(/^S/, 's').replace(/; \S+ does not read these settings yet$/, '')),
  }
  return { people, scripts: sayingOf(json), json, last }
}

interface Answer {
  readonly handler: string | null
  readonly store: unknown
  readonly directives: readonly { readonly name: string; readonly value: unknown }[]
  readonly findings: readonly Said[]
  readonly checks?: readonly { readonly title: string }[]
}

function sayingOf({ directives, findings }: Answer): Omit<Saying, 'sentence'> {
  const asText = (value: unknown) => (value === true ? 'On' : value === false ? 'Off' : String(value))
  return {
    findings: unique(findings),
    settings: comparable(directives.map(({ name, value }) => [name, asText(value)] as const)),
  }
}

/** What the doctor says of the plan. */
export function sayingOfDoctor(host: FakeHost) {
  const json = JSON.parse(run(host, ['doctor', '--json', 'binding.plan'])) as Answer
  return { said: sayingOf(json), json, title: json.checks?.[0]?.title ?? '' }
}

/** What the watcher says that finds no ini, and has written. */
export function sayingOfWatcher(host: FakeHost, watched: WatchedHome, ini: string): Saying {
  host.files.delete(ini)
  host.output.err = ''
  makeWatcher(host, watched)()
  return {
    findings: findingsIn(host.output.err),
    settings: settingsIn(host.files.get(ini) ?? ''),
    sentence: sentenceIn(host.output.err),
  }
}

function run(host: FakeHost, command: readonly string[]): string {
  main(host, [...command, ...(host.env.VCAP_APPLICATION === undefined ? ['--app', '/app'] : [])])
  if (host.output.out === '') throw new Error(`${command.join(' ')}: ${host.output.err}`)
  return host.output.out
}
