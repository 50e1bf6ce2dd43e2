import type { Browser, Page } from 'playwright-core'

/** Only for a page that hangs: the machine may be busy. */
const LIMIT_MILLISECONDS = 90_000

/** Lanes that the page offers at first. */
const OFFERED = 2

/** The page of the playground in a tab of its own, as a user sees it. All that is awaited lasts. */
export class PageInBrowser {
  /** The addresses that it has asked for. */
  readonly asked: string[] = []
  /** What the browser has complained about. */
  readonly complaints: string[] = []
  readonly page: Page

  private constructor(page: Page) {
    this.page = page
    page.setDefaultTimeout(LIMIT_MILLISECONDS)
    page.on('request', (request) => this.asked.push(request.url()))
    page.on('pageerror', (error) => this.complaints.push(error.message))
    page.on('console', (message) => this.complaints.push(message.text()))
  }

  static async open(browser: Browser, url: string): Promise<PageInBrowser> {
    const opened = new PageInBrowser(await browser.newPage({ viewport: { width: 1440, height: 1000 } }))
    await opened.page.goto(url)
    return opened
  }

  card(title: string) {
    return this.page.getByRole('article', { name: title })
  }

  /** Clicks on a button as soon as it can be used, and waits until all is done that it starts. */
  async press(name: string | RegExp): Promise<void> {
    await this.page.getByRole('button', { name, exact: true }).click()
    await this.untilReady()
  }

  /** Turns a switch on or off, whatever it is. */
  async turn(name: string, isOn: boolean): Promise<void> {
    const found = this.page.getByRole('switch', { name })
    if ((await found.getAttribute('aria-checked')) !== String(isOn)) await found.click()
    await this.page.getByRole('switch', { name, checked: isOn }).waitFor()
    await this.untilReady()
  }

  async untilReady(): Promise<void> {
    await this.page.locator('[role=status][aria-busy=false]', { hasText: /^ready$/ }).waitFor()
  }

  /** Waits for a sentence beside the events: they stay. */
  async untilTold(text: string | RegExp): Promise<void> {
    await this.page.getByRole('list', { name: 'Events' }).getByText(text).first().waitFor()
  }

  /** Opens lanes as a user does. What was there before is gone when it returns. */
  async openLanes(...words: readonly string[]): Promise<void> {
    await this.untilReady()
    await this.page.getByText('Your own lanes').click()
    for (let at = OFFERED; at < words.length; at++) await this.press('Add a lane')
    for (let at = OFFERED; at > words.length; at--) await this.press(`Remove lane ${at}`)
    for (const [at, word] of words.entries())
      await this.page.getByLabel(`Lane ${at + 1}`, { exact: true }).selectOption(word)
    await this.press('Open these lanes')
  }
}
