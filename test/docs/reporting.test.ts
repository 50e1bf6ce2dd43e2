import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readPage } from '../support/docs/pages.ts'

const policy = readPage('SECURITY.md').replaceAll(/\s+/g, ' ')

/** The fields of package.json that can hold an address. */
const CONTACTS = ['author', 'bugs', 'contributors', 'maintainers']

test('a vulnerability is reported by a form of the forge, and no address is spoken of that package.json does not have', () => {
  expect(policy).toContain('"Report a vulnerability" form')
  expect(policy).toContain('If there is no form, open an issue that asks for a private way')
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
  if (!CONTACTS.some((field) => field in manifest)) {
    expect(policy).not.toContain('package.json')
    expect(policy).not.toMatch(/\b(e-?mail|mailto:|address)\b|\S+@\S+/i)
  }
})
