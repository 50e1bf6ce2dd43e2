import { type Answer, makeVisitor } from '../../../lab/web/visitor.ts'

export interface Page extends Answer {
  /** The path after all redirects, with the query. */
  readonly path: string
  /** The first form that has a field of this name. */
  readonly form: (has: string) => Form
}

export interface Form {
  readonly action: string
  readonly fields: Readonly<Record<string, string>>
}

/** A visitor who follows redirects and fills in forms. */
export interface Browser {
  readonly cookies: ReadonlyMap<string, string>
  /** The instances that have answered, also with a redirect. */
  readonly instances: ReadonlySet<number | undefined>
  get(path: string): Promise<Page>
  post(path: string, fields: Form['fields']): Promise<Page>
  /** Fills in these fields of the page's form that has a field of the name `has`, and sends the form. */
  submit(page: Page, has: string, filled: Form['fields']): Promise<Page>
}

const MOST_REDIRECTS = 10

export function makeBrowser(url: string): Browser {
  const visitor = makeVisitor(url)
  const instances = new Set<number | undefined>()
  const follow = async (first: Answer, from: string): Promise<Page> => {
    let [answer, path] = [first, from]
    instances.add(answer.servedBy)
    for (let left = MOST_REDIRECTS; answer.headers.location !== undefined; left--) {
      if (left === 0) throw new Error(`redirected more than ${MOST_REDIRECTS} times, to ${path}`)
      path = resolve(path, answer.headers.location)
      answer = await visitor.get(path)
      instances.add(answer.servedBy)
    }
    return { ...answer, path, form: (has) => formIn(answer.body, has) }
  }
  const resolve = (from: string, to: string) => {
    const { pathname, search } = new URL(to, new URL(from, url))
    return `${pathname}${search}`
  }
  const post = async (path: string, fields: Form['fields']) => follow(await visitor.post(path, fields), path)
  return {
    cookies: visitor.cookies,
    instances,
    get: async (path) => follow(await visitor.get(path), path),
    post,
    submit: async (page, has, filled) => {
      const { action, fields } = page.form(has)
      return post(resolve(page.path, action), { ...fields, ...filled })
    },
  }
}

/** The first form with such a field: its action, and the values of its hidden fields. */
function formIn(html: string, has: string): Form {
  for (const [, attributes = '', inside = ''] of html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gs)) {
    const inputs = [...inside.matchAll(/<(?:input|textarea|button)\b([^>]*)>/gs)].map(([, of = '']) => of)
    if (!inputs.some((of) => attribute(of, 'name') === has)) continue
    const hidden = inputs.filter((of) => attribute(of, 'type') === 'hidden')
    const fields = hidden.map((of) => [attribute(of, 'name'), attribute(of, 'value')])
    return { action: attribute(attributes, 'action'), fields: Object.fromEntries(fields) }
  }
  throw new Error(`no form with a field ${has} in:\n${html}`)
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', quot: '"', lt: '<', gt: '>', '#039': "'" }

function attribute(attributes: string, name: string): string {
  const [, quoted, single, bare] =
    new RegExp(`(?:^|\\s)${name}=(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 's').exec(attributes) ?? []
  return (quoted ?? single ?? bare ?? '').replace(/&(#?\w+);/g, (all, entity) => ENTITIES[entity] ?? all)
}
