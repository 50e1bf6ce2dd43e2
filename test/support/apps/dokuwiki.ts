import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeApp } from '../../../lab/app.ts'
import { type App, USER } from './app.ts'
import type { Page } from './browser.ts'

/** `PASSWORD`, as crypt(3) has it with MD5. */
const HASH = '$1$salt1234$GexpiwjB8qThXlxv/yIG6.'

const localConfig = (data: string) => `<?php
$conf['title'] = 'Wiki';
$conf['license'] = '';
$conf['useacl'] = 1;
$conf['savedir'] = '${data}';
`

const VISITED = ['cup', 'jug', 'mug', 'pot', 'tin', 'urn']
const START = '/doku.php?id=start'
const logoutLink = (page: Page) => /href="([^"]*do=logout[^"]*)"/.exec(page.body)?.[1] ?? ''

/** The token of its forms belongs to the session, and the session has the trace of the pages that were visited. */
export const dokuwiki: App = {
  name: 'DokuWiki',
  cookie: 'DokuWiki',
  keepsId: true,
  make: (unpacked) => {
    const directory = makeApp({})
    const [config, data] = [join(directory, 'conf'), join(directory, 'data')]
    for (const folder of ['conf', 'data']) {
      const to = join(directory, folder)
      cpSync(join(unpacked.dokuwiki, folder), to, { recursive: true, verbatimSymlinks: true })
    }
    // The package has these two elsewhere.
    for (const name of ['users.auth.php', 'acl.auth.php']) rmSync(join(config, name))
    writeFileSync(join(config, 'local.php'), localConfig(data))
    writeFileSync(join(config, 'users.auth.php'), `${USER}:${HASH}:App:app@example.org:user\n`)
    writeFileSync(join(config, 'acl.auth.php'), '* @ALL 0\n* @user 8\n')
    mkdirSync(join(data, 'pages'), { recursive: true })
    for (const name of VISITED) writeFileSync(join(data, `pages/${name}.txt`), name)
    execFileSync('chmod', ['-R', 'a+rwX', directory])
    return { script: join(unpacked.dokuwiki, 'doku.php'), params: { DOKUWIKI_CONFIG: `${config}/` } }
  },
  login: async (browser) =>
    browser.submit(await browser.get(`${START}&do=login`), 'u', { u: USER, p: 'secret' }),
  page: () => START,
  work: async (browser) => {
    const page = await browser.get(`${START}&do=edit`)
    const wikitext = `A //teapot//, ${Date.now()}`
    return browser.submit(page, 'do[save]', { wikitext, 'do[save]': '1' })
  },
  logout: async (browser) => {
    const link = logoutLink(await browser.get(START))
    return browser.get(link.replaceAll('&amp;', '&'))
  },
  result: /A <em>teapot<\/em>/,
  outside: /name="u"/,
  remembers: VISITED.map((name) => ({
    request: `/doku.php?id=${name}`,
    page: START,
    shows: new RegExp(`class="breadcrumbs".*title="${name}".*</div>`, 's'),
  })),
}
