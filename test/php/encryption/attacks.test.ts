import { describe, expect, test } from 'vitest'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'
import { KEY, makeVisitor, OTHER_KEY, STORES, startInstance } from '../../support/php/sealed.ts'
import type { PhpWeb } from '../../support/php/web.ts'

const UNUSABLE = 'a session in the store cannot be used'

/** A Redis with one session that is encrypted, its bytes, and who has it. */
async function begin(
  underTest: PhpUnderTest,
  keys = `${KEY},only`,
  more: Parameters<typeof startInstance>[3] = {},
) {
  const [[, open]] = STORES as [(typeof STORES)[number]]
  const store = await open()
  const web = await startInstance(underTest, store.service, keys, more)
  const { id } = await makeVisitor()(web)
  const [key = ''] = store.keys() ?? []
  return { store, web, id, key, bytes: (await store.get(key)) ?? '' }
}

function linesOf(web: PhpWeb): readonly string[] {
  return web
    .log()
    .split('\n')
    .filter((line) => line.includes('php-sessions:'))
}

const flip = (text: string, at: number) =>
  text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1)

describe.each(PHPS)('%s', (_name, underTest) => {
  test('after any change the visitor gets a new session, the stored one stays, and the log has one line', async () => {
    const { store, web, id, key, bytes } = await begin(underTest)
    const last = bytes.length - 1
    // The mark, what was done, the key's name, the nonce, the data, the tag; cut off; not encrypted; too long.
    const changed = [
      ...[1, 3, 4, 5, 12, 13, 36, 37, last - 20, last].map((at) => flip(bytes, at)),
      ...[last, 30, 10, 5, 4, 1].map((length) => bytes.slice(0, length)),
      ...['n|i:9;', `${bytes}x`, bytes + bytes],
    ]
    for (const text of changed) {
      await store.set(key, text)
      const next = await makeVisitor(id)(web)
      expect(next).toEqual({ n: 1, id: expect.not.stringContaining(id), status: 200 })
      expect(await store.get(key)).toBe(text)
    }
    const lines = linesOf(web)
    expect(lines).toHaveLength(changed.length)
    for (const line of lines) expect(line).toContain(UNUSABLE)
    expect(web.log()).not.toMatch(/fatal|warning|notice|CANARY/i)
    expect(web.log()).not.toContain(id)
    await store.set(key, bytes)
    expect(await makeVisitor(id)(web)).toEqual({ n: 2, id, status: 200 })
  })

  test('two sessions that are swapped open for nobody', async () => {
    const { store, web, id, key, bytes } = await begin(underTest)
    const other = await makeVisitor()(web)
    const otherKey = (store.keys() ?? []).find((name) => name !== key) ?? ''
    const otherBytes = (await store.get(otherKey)) ?? ''
    await store.set(key, otherBytes)
    await store.set(otherKey, bytes)
    for (const stolen of [id, other.id]) expect((await makeVisitor(stolen)(web)).id).not.toBe(stolen)
    expect([await store.get(key), await store.get(otherKey)]).toEqual([otherBytes, bytes])
  })

  test('a name in the store is not a login: neither as an id, nor for an app without the key', async () => {
    const { store, web, id, key } = await begin(underTest, KEY)
    const plain = await startInstance(underTest, store.service, undefined)
    const native = await startInstance(underTest, store.service, undefined, {
      env: { PHP_SESSIONS_HANDLER: 'native' },
    })
    const name = key.slice(store.prefix.length)
    const before = await store.get(key)
    for (const instance of [web, plain, native])
      for (const stolen of [name, name.slice(1), encodeURIComponent(name)]) {
        const next = await makeVisitor(stolen)(instance)
        expect(next.n).toBe(1)
        expect([name, name.slice(1), id]).not.toContain(next.id)
      }
    expect(await store.get(key)).toBe(before)
  })

  test('a session that another key has encrypted is left alone, and its visitor gets a new one', async () => {
    const { store, web, id, key, bytes } = await begin(underTest, KEY)
    const others = await startInstance(underTest, store.service, OTHER_KEY)
    expect((await makeVisitor(id)(others)).id).not.toBe(id)
    expect(await makeVisitor(id)(web)).toEqual({ n: 2, id, status: 200 })
    // Under the name that this key gives it, sealed with the other.
    const victim = await makeVisitor()(others)
    const theirs = (store.keys() ?? []).filter((name) => name !== key)
    for (const name of theirs) await store.set(name, bytes)
    expect((await makeVisitor(victim.id)(others)).id).not.toBe(victim.id)
    expect(linesOf(others)).toEqual([
      expect.stringMatching(/it is sealed with the key [0-9a-f]{16}, and its name belongs to the key/),
    ])
  })

  test('without strict mode the session that cannot be used is not written over', async () => {
    const { store, web, id, key, bytes } = await begin(underTest, KEY, { ini: 'session.use_strict_mode=0\n' })
    const text = flip(bytes, bytes.length - 1)
    await store.set(key, text)
    expect((await makeVisitor(id)(web)).n).toBe(1)
    expect((await makeVisitor(id)(web, '?out')).status).toBe(200)
    expect((await makeVisitor(id)(web)).n).toBe(1)
    expect(await store.get(key)).toBe(text)
    expect(linesOf(web).filter((line) => line.includes('a session is not kept'))).toHaveLength(2)
    expect(store.keys()).toHaveLength(1)
  })

  test('an older state of the same session is accepted: an encrypted copy can be put back', async () => {
    const { store, web, id, key, bytes } = await begin(underTest)
    expect((await makeVisitor(id)(web)).n).toBe(2)
    await store.set(key, bytes)
    expect((await makeVisitor(id)(web)).n).toBe(2)
  })

  test('a PHP without libsodium answers 503, and keeps nothing in clear', async () => {
    const { store, id, key, bytes } = await begin(underTest)
    const web = await startInstance(underTest, store.service, KEY, {
      ini: 'disable_functions=sodium_crypto_aead_xchacha20poly1305_ietf_encrypt\n',
    })
    expect((await makeVisitor()(web)).status).toBe(503)
    expect((await makeVisitor(id)(web)).status).toBe(503)
    expect(store.keys()).toEqual([key])
    expect(await store.get(key)).toBe(bytes)
    expect(web.log()).toContain('PHP has no extension sodium, which encrypts sessions')
  })

  test('where something bypasses the handler, PHP’s own handler keeps nothing in clear, also without a password', async () => {
    for (const [, open] of STORES) {
      const store = await open()
      const web = await startInstance(underTest, store.service, KEY, { ini: 'auto_prepend_file=\n' })
      const answers = [0, 1].map(() => fetch(web.url).then((response) => response.text(), String))
      const ids = (await Promise.all(answers)).map((text) => /^\d+ (\S+)$/m.exec(text)?.[1])
      if (store.keys() !== undefined) expect(store.keys()).toEqual([])
      for (const id of ids) expect(await store.get(store.prefix + String(id))).toBeUndefined()
    }
  })

  test('a session that memory_limit has no room to open is a 503, and stays', async () => {
    const page = `<?php session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
      if (isset($_GET['big'])) $_SESSION['big'] = random_bytes(3_000_000); echo $_SESSION['n'], ' ', session_id();`
    const { store, web, id } = await begin(underTest, KEY, { page, ini: 'memory_limit=64M\n' })
    expect((await makeVisitor(id)(web, '?big')).n).toBe(2)
    const small = await startInstance(underTest, store.service, KEY, { page, ini: 'memory_limit=10M\n' })
    expect((await makeVisitor(id)(small)).status).toBe(503)
    expect(linesOf(small)).toEqual([expect.stringContaining('does not fit into memory_limit')])
    expect((await makeVisitor(id)(web)).n).toBe(3)
    expect(store.keys()).toHaveLength(1)
  })

  test.each(STORES)('an id that nobody has, however odd, is a new session: %s', async (_store, open) => {
    const store = await open()
    const web = await startInstance(underTest, store.service, `${OTHER_KEY},${KEY}`)
    const odd = [
      'x',
      'a'.repeat(240),
      'a'.repeat(256),
      'a'.repeat(300),
      'a_LOCK',
      'lock.a',
      '{a}b',
      'ä',
      '%00a',
      '%3Ca',
      '..%2Fa',
      "a'b",
    ]
    for (const id of odd) {
      const next = await makeVisitor(id)(web)
      expect({ id, n: next.n, status: next.status }).toEqual({ id, n: 1, status: 200 })
      expect(next.id).not.toBe(decodeURIComponent(id))
    }
    expect(web.log()).not.toMatch(/cannot be used|warning|fatal/i)
    if (store.keys() !== undefined) expect(store.keys()).toHaveLength(odd.length)
  })
})
