import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bundledPackages } from '../../scripts/parts/bundles.ts'
import { NATIVE_PARTS, pinnedSource, UNICODE } from '../../scripts/release/native-parts.ts'
import { renderNotice } from '../../scripts/release/notice.ts'
import { main } from '../../src/cli/main.ts'
import { fakeHost } from '../support/host/fake-host.ts'

test('NOTICE is what the sources and the bundles make of it', async () => {
  await expect(await renderNotice()).toMatchFileSnapshot('../../NOTICE')
})

test('NOTICE names every npm package that esbuild has put into a bundle, and its copyright', async () => {
  const notice = readFileSync('NOTICE', 'utf8')
  const packages = await bundledPackages()
  expect(packages.map(({ name }) => name)).toContain('preact')
  for (const { name, version, licenseText } of packages) {
    expect(notice).toContain(`${name} ${version}`)
    const lines = licenseText.match(/^Copyright .*$/gim) ?? []
    expect(lines).not.toEqual([])
    for (const line of lines) expect(notice).toContain(line)
  }
})

test('NOTICE has the copyright lines of what is linked, whose sources are pinned', () => {
  const notice = readFileSync('NOTICE', 'utf8')
  for (const [id, { name, copyright }] of Object.entries(NATIVE_PARTS)) {
    expect(notice).toContain(name)
    for (const line of copyright) expect(notice).toContain(line)
    expect(pinnedSource(id as keyof typeof NATIVE_PARTS)).toMatchObject({
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
  }
})

test("NOTICE has the licence of Unicode's data, of which QuickJS' tables are made, and the list of parts names it", () => {
  const notice = readFileSync('NOTICE', 'utf8')
  const licence = readFileSync(UNICODE.terms, 'utf8')
  expect(licence).toMatch(/^UNICODE LICENSE V3\n/)
  for (const line of UNICODE.copyright) expect(licence).toContain(line)
  expect(notice).toContain(`${UNICODE.name} (${UNICODE.home})`)
  expect(notice).toContain(licence)
  expect(NATIVE_PARTS.quickjs.licence.split(' AND ')).toContain(UNICODE.licence)
})

test.each(['--licences', '--licenses'])('%s prints NOTICE', (flag) => {
  const host = fakeHost()
  expect(main(host, [flag])).toBe(0)
  expect(host.output.out).toBe(readFileSync('NOTICE', 'utf8'))
})
