import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Services } from '../lab/cloudfoundry/lifecycle.ts'
import { type Answer, makeVisitor, type Visitor } from '../lab/web/visitor.ts'

const EXECUTABLE = join(import.meta.dirname, '../dist/php-sessions')
const PAGES = 5
const REDIRECTS = 3

/** Whether there is a page of PHP: in the directory, or in one of its own. */
export function hasPhp(directory: string): boolean {
  const isPhp = (path: string) => existsSync(path) && readdirSync(path).some((name) => name.endsWith('.php'))
  const inside = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return isPhp(directory) || inside.some(({ name }) => isPhp(join(directory, name)))
}

/** What `explain` says of the app with these services: its findings on frameworks, and its last line. */
export function verdictOn(app: string, services: Services): string {
  const env = { PATH: process.env.PATH, VCAP_APPLICATION: '{}', VCAP_SERVICES: JSON.stringify(services) }
  const said = execFileSync(EXECUTABLE, ['explain', '--app', app], { env, encoding: 'utf8' })
  const blocks = said.trimEnd().split(/\n\n|\n(?=[!✗])/)
  return blocks
    .filter((block, at) => /^Framework|\(framework\./.test(block) || at === blocks.length - 1)
    .join('\n')
}

/** What one visitor saw of the app itself. */
export interface OwnPages {
  readonly lines: readonly string[]
  /** Whether every page came, without a fault of the server. */
  readonly works: boolean
  readonly session: OwnSession | undefined
}

/** A PHP session in which the app keeps values. */
export interface OwnSession {
  readonly cookie: string
  /** Asks whether an instance finds these values. */
  isThere(): Promise<boolean>
}

/** Visits the start page of an app, and pages that it links to, as somebody who knows nothing of it. */
export async function visitOwnPages(url: string, lookPage: string): Promise<OwnPages> {
  const visitor = makeVisitor(url)
  const lines: string[] = []
  const paths = ['/']
  let works = true
  for (let at = 0; at < Math.min(paths.length, PAGES); at++) {
    const path = paths[at] ?? '/'
    const answer = await follow(visitor, path)
    works &&= answer.status < 500
    lines.push(`${path.padEnd(24)} instance ${answer.servedBy}: status ${answer.status}`)
    for (const link of linksIn(answer, url)) if (!paths.includes(link)) paths.push(link)
  }
  for (const cookie of visitor.cookies.keys()) {
    const isThere = async () =>
      /values: [1-9]/.test((await visitor.get(`${lookPage}?name=${encodeURIComponent(cookie)}`)).body)
    if (await isThere()) return { lines, works, session: { cookie, isThere } }
  }
  return { lines, works, session: undefined }
}

async function follow(visitor: Visitor, path: string): Promise<Answer> {
  let answer = await visitor.get(path)
  for (let i = 0; i < REDIRECTS && answer.status >= 300 && answer.status < 400; i++) {
    const { location = '/' } = answer.headers
    if (/^[a-z]+:\/\//i.test(location)) break
    answer = await visitor.get(location)
  }
  return answer
}

/** Paths of other pages of the app, without those that may change something. */
function linksIn({ body }: Answer, url: string): readonly string[] {
  const links = [...body.matchAll(/<a\s[^>]*href=["']([^"'#]+)/gi)].map(([, href = '']) => href)
  return links.flatMap((href) => {
    const target = URL.canParse(href, url) ? new URL(href, url) : undefined
    if (target?.origin !== new URL(url).origin || /log-?out|delete|remove/i.test(href)) return []
    return [`${target.pathname}${target.search}`]
  })
}
