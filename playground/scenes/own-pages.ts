import { type Answer, makeVisitor, type Visitor } from '../../lab/web/visitor.ts'
import { LOOK } from '../engine/app.ts'
import type { Lane } from '../engine/lane.ts'
import type { Verdict } from './measures.ts'

const PAGES = 5
const REDIRECTS = 3

/** What one visitor saw of the app itself. */
export interface OwnVisit {
  readonly lines: readonly string[]
  /** Whether the pages came, and whether values that the app keeps in a PHP session are still there. */
  judge(isKept: boolean): Promise<Verdict>
}

/** A PHP session in which the app keeps values. */
interface OwnSession {
  readonly cookie: string
  /** Asks whether an instance finds these values. */
  isThere(): Promise<boolean>
}

/** Visits the start page of an app, and pages that it links to, as somebody who knows nothing of it. */
export async function visitOwnPages({ url }: Pick<Lane, 'url'>): Promise<OwnVisit> {
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
  const session = await findSession(visitor)
  const said =
    session === undefined
      ? "on these pages the app keeps nothing in a PHP session; the playground's page, in the app, does"
      : `the app keeps values in the PHP session of its cookie ${session.cookie}`
  return { lines: [...lines, said], judge: (isKept) => judge(works, session, isKept) }
}

async function judge(works: boolean, session: OwnSession | undefined, isKept: boolean): Promise<Verdict> {
  const promised = isKept ? "the app's own session is kept" : "the app's own session may be lost"
  if (!works) return { promised, seen: 'a page of the app has failed', isKept: false }
  if (session === undefined) return { promised, seen: 'the app has made none', isKept: true }
  const isThere = await session.isThere()
  return { promised, seen: isThere ? 'it is kept' : 'it is lost', isKept: !isKept || isThere }
}

async function findSession(visitor: Visitor): Promise<OwnSession | undefined> {
  for (const cookie of visitor.cookies.keys()) {
    const isThere = async () =>
      /values: [1-9]/.test((await visitor.get(`/${LOOK}?name=${encodeURIComponent(cookie)}`)).body)
    if (await isThere()) return { cookie, isThere }
  }
  return undefined
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
