import { describe, expect, test } from 'vitest'
import { PHPS } from '../../support/php/php.ts'
import { KEY, makeVisitor, type Opened, OTHER_KEY, STORES, startInstance } from '../../support/php/sealed.ts'

/** What the store has, as one text. */
async function contentOf(store: Opened): Promise<string> {
  const texts = await Promise.all((store.keys() ?? []).map(async (key) => `${key} ${await store.get(key)}`))
  return texts.join('\n')
}

describe.each(PHPS)('%s', (_name, underTest) => {
  describe.each(STORES)('%s', (_store, open) => {
    test('the store has neither the id nor the data of a session that is encrypted', async () => {
      const store = await open()
      const web = await startInstance(underTest, store.service, KEY)
      const visit = makeVisitor()
      const { id } = await visit(web)
      expect((await visit(web)).n).toBe(2)
      expect((await visit(web, '?quiet')).n).toBe(2)
      expect((await visit(web)).n).toBe(3)
      expect(await store.get(store.prefix + id)).toBeUndefined()
      const content = await contentOf(store)
      expect(content).not.toContain(id)
      expect(content).not.toContain('CANARY')
      if (store.keys() !== undefined) expect(store.keys()).toEqual([expect.stringMatching(/:<[\w-]{32}$/)])
      expect(web.log()).not.toMatch(/php-sessions|warning|error/i)
    })

    test('a session that is not encrypted is found, and is encrypted when it is written next; also where it is only read', async () => {
      const store = await open()
      const before = await startInstance(underTest, store.service, undefined)
      const after = await startInstance(underTest, store.service, KEY)
      for (const query of ['', '?quiet']) {
        const visit = makeVisitor()
        const { id } = await visit(before)
        expect(await store.get(store.prefix + id)).toContain('CANARY')
        expect(await visit(after, '?read')).toEqual({ n: 1, id, status: 200 })
        expect(await store.get(store.prefix + id)).toContain('CANARY')
        expect((await visit(after, query)).n).toBe(query === '' ? 2 : 1)
        expect(await store.get(store.prefix + id)).toBeUndefined()
        expect(await visit(after)).toEqual({ n: query === '' ? 3 : 2, id, status: 200 })
      }
      expect(await contentOf(store)).not.toContain('CANARY')
      expect(after.log()).not.toMatch(/php-sessions|warning|error/i)
    })

    test('with `only` a session that is not encrypted is not found', async () => {
      const store = await open()
      const before = await startInstance(underTest, store.service, undefined)
      const after = await startInstance(underTest, store.service, `${KEY},only`)
      const visit = makeVisitor()
      const { id } = await visit(before)
      const next = await visit(after)
      expect(next.n).toBe(1)
      expect(next.id).not.toBe(id)
      expect(await store.get(store.prefix + id)).toContain('CANARY')
    })

    test('keys are rotated, and encryption is switched on and off, without losing a session', async () => {
      const store = await open()
      const visit = makeVisitor()
      const steps = [undefined, `plain,${KEY}`, KEY, `${KEY},${OTHER_KEY}`, `${OTHER_KEY}, ${KEY}`, OTHER_KEY]
      const back = [`${OTHER_KEY},plain`, `plain,${OTHER_KEY}`, undefined]
      let n = 0
      let first = ''
      for (const keys of [...steps, ...back]) {
        const web = await startInstance(underTest, store.service, keys, { workers: 2 })
        for (let page = 0; page < 2; page++) {
          const { n: count, id } = await visit(web)
          first ||= id
          expect({ keys, count, id }).toEqual({ keys, count: ++n, id: first })
        }
        if (store.keys() !== undefined) expect(store.keys()).toHaveLength(1)
        expect(web.log()).not.toMatch(/php-sessions|warning|error/i)
        await web.stop()
      }
    })

    test('a session that moves is not new: it lives as long as any, and so does the next one of its visitor', async () => {
      const store = await open()
      const env = { PHP_SESSIONS_LIFETIME: '1440', PHP_SESSIONS_FIRST_LIFETIME: '60' }
      const before = await startInstance(underTest, store.service, undefined, { env })
      const page = `<?php session_start(); isset($_GET['change']) && session_regenerate_id(true);
        $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; echo $_SESSION['n'], ' ', session_id();`
      const after = await startInstance(underTest, store.service, KEY, { env, page })
      for (const query of ['', '?change']) {
        const visit = makeVisitor()
        await visit(before)
        expect((await visit(after, query)).n).toBe(2)
      }
      for (const key of store.keys() ?? []) expect(store.seconds(key)).toBeGreaterThan(1400)
      await makeVisitor()(after)
      expect((store.keys() ?? []).filter((key) => store.seconds(key) <= 60)).toHaveLength(
        store.keys() === undefined ? 0 : 1,
      )
    })

    test('a session that is destroyed is gone from every place', async () => {
      const store = await open()
      const [older, newer] = [
        await startInstance(underTest, store.service, KEY),
        await startInstance(underTest, store.service, `${OTHER_KEY},${KEY}`),
      ]
      const visit = makeVisitor()
      const { id } = await visit(older)
      await visit(newer, '?out')
      expect((await visit(newer)).id).not.toBe(id)
      if (store.keys() !== undefined) expect(store.keys()).toHaveLength(1)
    })
  })
})
