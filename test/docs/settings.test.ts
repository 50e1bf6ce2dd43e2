import { expect, test } from 'vitest'
import { readPage } from '../support/docs/pages.ts'
import { renderSettingsPage } from '../support/docs/settings-page.ts'

test('docs/settings.md is made from the settings and from the reasons of the directives', async () => {
  await expect(renderSettingsPage()).toMatchFileSnapshot('../../docs/settings.md')
})

test('no setting of the cookie is written but its name', () => {
  expect(readPage('docs/settings.md')).not.toMatch(/`session\.cookie/)
})
