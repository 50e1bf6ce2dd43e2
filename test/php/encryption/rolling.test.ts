import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { PAGES, startLoad } from '../../support/php/load/visitors.ts'
import { PHPS } from '../../support/php/php.ts'
import { KEY, OTHER_KEY, STORES, startInstance } from '../../support/php/sealed.ts'
import { cookieOf, type PhpWeb } from '../../support/php/web.ts'

const PAGE = `<?php if (($_GET['page'] ?? '') === 'all') { ${PAGES.all} } else { ${PAGES.count} }`

/** Encryption is switched on, the key is rotated, and it is switched off again. */
const STEPS = [
  undefined,
  `plain,${KEY}`,
  KEY,
  `${KEY},${OTHER_KEY}`,
  `${OTHER_KEY},${KEY}`,
  OTHER_KEY,
  `plain,${OTHER_KEY}`,
  undefined,
]
const STEP_MILLISECONDS = 1200
/** A page may be underway on an instance that is about to end. */
const DRAIN_MILLISECONDS = 1500

describe.each(PHPS)('%s', (_name, underTest) => {
  test.each(STORES)(
    'while instances with and without a key, and with other keys, serve the same visitors, no update is lost and nobody is logged out: %s',
    async (_store, open) => {
      const { service, keys } = await open()
      const start = (list: string | undefined) =>
        startInstance(underTest, service, list, { page: PAGE, workers: 4 })
      let turn = 0
      let webs: readonly PhpWeb[] = [await start(STEPS[0])]
      const makeVisitor = () => {
        let cookie = ''
        return async (page: keyof typeof PAGES) => {
          const { url } = webs[turn++ % webs.length] as PhpWeb
          const response = await fetch(`${url}?page=${page}`, { headers: { cookie } })
          cookie = cookieOf(response) || cookie
          return response.text()
        }
      }
      const load = startLoad(makeVisitor, 3, 4)
      const logs: string[] = []
      for (const list of STEPS.slice(1)) {
        const [older] = webs
        const newer = await start(list)
        webs = [...webs, newer]
        await sleep(STEP_MILLISECONDS)
        webs = [newer]
        await sleep(DRAIN_MILLISECONDS)
        logs.push(older?.log() ?? '')
        await older?.stop()
      }
      const report = await load.stop()
      expect(report).toMatchObject({ failed: [], lost: [], strangers: 0, startedOver: 0, stuck: 0 })
      expect(report.requests).toBeGreaterThan(50)
      expect(logs.join('')).not.toMatch(/php-sessions:|warning|fatal/i)
      // The sessions of the visitors, in one place each, and no lock.
      if (keys() !== undefined) expect(keys()).toHaveLength(4)
    },
  )
})
