import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { startBrowser } from '../../../lab/web/chromium.ts'
import { Playground } from '../../../playground/engine/playground.ts'
import { type PageServer, startPageServer } from '../../../playground/server/http.ts'
import { makePage } from '../../../playground/server/page.ts'
import { Show } from '../../../playground/server/show.ts'
import { PageInBrowser } from './page-in-browser.ts'

/** A playground for the tests of a group, and its page, which each of them has in a tab of its own. */
export function servePage() {
  const playground = new Playground({})
  const show = new Show(playground, 0)
  let server: PageServer
  let browser: Browser
  let open: PageInBrowser

  beforeAll(async () => {
    server = await startPageServer(playground, show, { port: 0, instances: 2, page: makePage(false) })
    browser = await startBrowser()
  })

  beforeEach(async () => {
    open = await PageInBrowser.open(browser, server.url)
  })

  afterEach(() => open.page.close())

  afterAll(async () => {
    await browser?.close()
    show.stop()
    await server?.stop()
    await playground.stop()
  })

  return { playground, show, url: () => server.url, tab: () => open }
}
