import type { App } from './app.ts'
import { versionIsBelow } from './composer.ts'
import type { AppSetting, FrameworkOutcome, Judgement } from './framework.ts'

/** An outcome and the places that led to it. */
export interface Judged {
  readonly outcome: FrameworkOutcome
  readonly from: readonly string[]
}

/** Decides what an app does; undefined if it cannot be decided. */
export function judge(app: App, version: string | undefined, judgement: Judgement): Judged | undefined {
  if (judgement === undefined) return undefined
  if ('verdict' in judgement) return { outcome: judgement, from: [] }
  if ('below' in judgement) {
    const { of, below, older, otherwise } = judgement
    const installed =
      of === undefined ? version : of.map((name) => app.packages.get(name)?.version).find(Boolean)
    return judge(app, version, versionIsBelow(installed, below) === true ? older : otherwise)
  }
  const { setting, cases, otherwise } = judgement
  const found = readAppSetting(app, setting)
  const fitting = cases.find(([value]) => found !== undefined && value.test(found.value))
  if (found === undefined || fitting === undefined) return judge(app, version, otherwise)
  const judged = judge(app, version, fitting[1])
  return judged === undefined ? undefined : { ...judged, from: [found.from, ...judged.from] }
}

/** The value of a setting, and where it was read. */
export function readAppSetting(
  { env, find, lines }: App,
  { variable, places }: AppSetting,
): { readonly value: string; readonly from: string } | undefined {
  const value = variable === undefined ? undefined : env[variable]
  if (value !== undefined && value !== '') return { value, from: `environment variable ${variable}` }
  for (const [written, pattern] of places) {
    const file = withEnvironment(written, { env, lines })
    for (const { text, number } of lines(file)) {
      const match = pattern.exec(text)
      if (match !== null) return { value: match[1] ?? '', from: `${find(file)} line ${number}` }
    }
  }
  return undefined
}

/** Puts the app's environment in the place of `{environment}`: CodeIgniter has files of its own for each. */
function withEnvironment(file: string, { env, lines }: Pick<App, 'env' | 'lines'>): string {
  if (!file.includes('{environment}')) return file
  const first = (path: string, line: RegExp) =>
    lines(path)
      .map(({ text }) => line.exec(text)?.[1])
      .find((value) => value !== undefined)
  const environment =
    env.CI_ENVIRONMENT ??
    env.CI_ENV ??
    first('.env', /^\s*(?:export\s+)?CI_ENVIRONMENT\s*=\s*["']?(\w+)/) ??
    first('index.php', /define\(\s*'ENVIRONMENT',.*'(\w+)'\s*\)/) ??
    (file.startsWith('application/') ? 'development' : 'production')
  return file.replace('{environment}', environment)
}

/** The line of a `.env` file that sets a variable. */
export function dotenv(name: string): readonly [file: string, line: RegExp] {
  return ['.env', new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=\\s*["']?([^"'\\s#]*)`)]
}
