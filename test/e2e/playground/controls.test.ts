import { beforeEach, describe, expect, test } from 'vitest'
import { NO_BROWSER } from '../../../lab/web/chromium.ts'
import type { Lane } from '../../../playground/engine/lane.ts'
import type { PageInBrowser } from '../../support/playground/page-in-browser.ts'
import { servePage } from '../../support/playground/served-page.ts'

/** Only for what hangs: the machine may be busy. */
const HANG = { timeout: 300_000 }
const POLL = { timeout: 90_000 }

const FILES = 'local files'
const MANAGED = 'php-sessions, managed handler, Redis'

// Each test has a page and, where it needs them, lanes of its own: whatever became of the tests before.
describe.skipIf(NO_BROWSER !== undefined)('the controls of the page', HANG, () => {
  const { playground, show, url, tab } = servePage()
  let open: PageInBrowser

  beforeEach(() => {
    open = tab()
  })

  const running = () => playground.lanes.map((lane) => lane.instances())
  const laneOf = (way: Lane['options']['way']) =>
    playground.lanes.find(({ options }) => options.way === way) as Lane

  test('instances are killed and started, restarted and restaged, and the page tells it', async () => {
    await open.openLanes('files', 'managed:redis')
    await open
      .card(FILES)
      .getByText(/logged out \d+×/)
      .waitFor()

    await open.press('Kill 0')
    await open.untilTold('Instance 0 is killed')
    await open.card(MANAGED).getByText('instance 0 down').waitFor()
    expect(running()).toEqual([[1], [1]])
    await open.press('Start missing')
    await open.untilTold('The platform starts the missing instances')
    await open
      .card(MANAGED)
      .getByText(/instance 0 \d+ request/)
      .waitFor()
    expect(running()).toEqual([
      [0, 1],
      [0, 1],
    ])

    await open.press('cf restart')
    await open.untilTold('cf restart: each instance starts again from the same droplet')
    await open.press('cf restage')
    await open.untilTold('cf restage: the buildpacks make a new droplet')
    await open.untilTold('Instance 1 is down, and its disk is gone.')
    expect(running()).toEqual([
      [0, 1],
      [0, 1],
    ])
    await open.card(MANAGED).getByText('nothing lost').waitFor()
    expect(laneOf('managed').shopper('Ada').ledger).toMatchObject({ lost: 0, loggedOut: 0 })
  })

  test('stores are frozen, get new passwords and restart, and the page tells it', async () => {
    await open.openLanes('files', 'managed:redis')
    const managed = open.card(MANAGED)
    await managed.getByText('logged in').waitFor()
    await open.press('Freeze')
    await open.untilTold('The stores are frozen')
    await managed.getByText('Redis frozen').waitFor()
    await open.untilTold('Status 503 with Retry-After')
    await managed.getByText(/503: \d/).waitFor()
    await open.press('Thaw')
    await open.untilTold('The stores are thawed')
    await open.untilTold('Ada is served again, and is still logged in.')

    await open.press('Rotate password')
    await open.untilTold('The stores get new passwords')
    await managed.getByText('Redis up, with a new password').waitFor()
    // Until the instances start again each click is refused.
    await managed.getByText('must wait').waitFor()
    await open.press('cf restart')
    await managed.getByText('logged in').waitFor()

    await open.press('20 clicks at once')
    await open.untilTold('Ada clicks 20 times at once')
    await open.press('Restart')
    await open.untilTold('The stores restart')
    await open.untilTold('Redis is up again.')
    await managed.getByText('nothing lost').waitFor()
    const { ledger } = laneOf('managed').shopper('Ada')
    expect(ledger).toMatchObject({ lost: 0, loggedOut: 0 })
    expect(ledger.acknowledged).toBeGreaterThan(20)
    expect(laneOf('managed').store?.keys?.()).not.toEqual([])
  })

  test('a failover; and where the password is in the droplet, only cf restage helps', async () => {
    await open.openLanes('managed:sentinel', 'peers:redis')
    const managed = open.card('php-sessions, managed handler, Redis with Sentinels')
    const peers = open.card("php_buildpack's own settings, Redis")
    await managed.getByText('logged in').waitFor()
    await peers.getByText('logged in').waitFor()
    await open.press('Fail over')
    await open.untilTold('The masters are killed')
    await open.untilTold('Redis with Sentinels is up again.')
    await managed.getByText('logged in').waitFor()
    expect(laneOf('managed').shopper('Ada').ledger).toMatchObject({ lost: 0, loggedOut: 0 })

    const { ledger } = laneOf('peers').shopper('Ada')
    const untilMore = (what: 'acknowledged' | 'loggedOut') =>
      expect.poll(() => ledger[what], POLL).toBeGreaterThan(ledger[what] + 2)
    await open.press('Rotate password')
    await open.untilTold('The stores get new passwords')
    await open.untilTold('Ada is logged out')
    await open.press('cf restart')
    await untilMore('loggedOut')
    await open.press('cf restage')
    await untilMore('acknowledged')
    const { loggedOut } = ledger
    await untilMore('acknowledged')
    expect(ledger.loggedOut).toBe(loggedOut)
    await peers.getByText('logged in').waitFor()
  })

  test('visitors click, and many more; the router sticks; explain and doctor answer', async () => {
    await open.openLanes('files', 'managed:redis')
    const managed = open.card(MANAGED)
    await open.turn('Ada clicks every second', false)
    await open.untilTold('Ada rests.')
    await open.turn('Ada clicks every second', true)
    await open.untilTold('Ada clicks once a second.')

    await open.turn('200 requests a second', true)
    await open.untilTold('More visitors click, 200 times a second')
    await expect.poll(() => laneOf('managed').shoppers.size, POLL).toBeGreaterThan(1)
    await open.turn('200 requests a second', false)
    await open.untilTold('The other visitors leave.')

    for (const isOn of [false, true]) await open.turn('Sticky by JSESSIONID', isOn)
    await open.untilTold('The router sticks by JSESSIONID.')
    expect(show.snapshot().isSticky).toBe(true)
    await open.turn('Sticky by JSESSIONID', false)
    await open.untilTold('The router takes turns')
    expect(show.snapshot().isSticky).toBe(false)

    await managed.getByRole('button', { name: 'explain' }).click()
    await managed.getByText('Sessions are kept in Redis service app-redis-sessions').last().waitFor()
    await managed.getByRole('button', { name: 'doctor' }).click()
    await managed.getByText(/^Sessions are ready: /).waitFor()
    await managed.getByRole('button', { name: 'Close' }).click()
    await managed.getByText('php-sessions doctor').waitFor({ state: 'detached' })
    const [app] = await Promise.all([
      open.page.waitForEvent('popup'),
      managed.getByRole('link', { name: 'Open the app' }).click(),
    ])
    await app.getByRole('heading').first().waitFor()
    expect(app.url()).toBe(`${laneOf('managed').url}/`)
  })

  test('lanes are added and removed; what cannot be done is refused, and the page says so', async () => {
    await open.page.getByText('Your own lanes').click()
    await open.page.getByRole('button', { name: 'Add a lane' }).click()
    await open.page.getByLabel('Lane 3', { exact: true }).selectOption('files')
    await open.page.getByRole('button', { name: 'Remove lane 2' }).click()
    await open.page.getByRole('button', { name: 'Remove lane 1' }).click()
    await open.press('Open these lanes')
    expect(playground.lanes.map(({ title }) => title)).toEqual([FILES])
    const refused = await open.page.request.post(`${url()}control`, {
      data: { do: 'open', lanes: ['nowhere'] },
    })
    expect(refused.status()).toBe(400)
    await open.page.route('**/control', (route) =>
      route.fulfill({ status: 409, body: 'cf restart is under way' }),
    )
    await open.page.getByRole('button', { name: 'Kill 0' }).click()
    await open.page.getByRole('alert').getByText('cf restart is under way').waitFor()
    await open.untilReady()
  })
})
