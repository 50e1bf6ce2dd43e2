import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readPage } from '../support/docs/pages.ts'

const FOLDER = '.github/ISSUE_TEMPLATE'
const KEYS = ['name', 'description', 'title', 'labels', 'assignees', 'projects', 'type', 'body']
/** What GitHub wants of each element of a form, and what it allows. */
const ELEMENTS: Readonly<
  Record<string, { readonly needs: readonly string[]; readonly may: readonly string[] }>
> = {
  markdown: { needs: ['value'], may: [] },
  input: { needs: ['label'], may: ['description', 'placeholder', 'value'] },
  textarea: { needs: ['label'], may: ['description', 'placeholder', 'value', 'render'] },
  dropdown: { needs: ['label', 'options'], may: ['description', 'multiple', 'default'] },
  checkboxes: { needs: ['label', 'options'], may: ['description'] },
}

interface Element {
  readonly type: string
  readonly id?: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly validations?: { readonly required?: boolean }
}

const forms = readdirSync(FOLDER).filter((name) => name !== 'config.yml')

describe.each(forms)('the form %s', (name) => {
  const form = parse(readPage(`${FOLDER}/${name}`))
  const body: readonly Element[] = form.body

  test('has what GitHub requires, and nothing that it refuses', () => {
    expect(Object.keys(form).filter((key) => !KEYS.includes(key))).toEqual([])
    for (const key of ['name', 'description']) expect(form[key]).toMatch(/\S/)
    for (const { type, attributes } of body) {
      const { needs = [], may = [] } = ELEMENTS[type] ?? {}
      expect(Object.keys(ELEMENTS)).toContain(type)
      expect(Object.keys(attributes)).toEqual(expect.arrayContaining([...needs]))
      expect(Object.keys(attributes).filter((key) => ![...needs, ...may].includes(key))).toEqual([])
    }
  })

  test('asks for something, each thing once', () => {
    const asked = body.filter(({ type }) => type !== 'markdown')
    const labels = asked.map(({ attributes }) => attributes.label)
    const ids = asked.map(({ id }) => id)
    expect(asked.length).toBeGreaterThan(0)
    expect(new Set(labels).size).toBe(labels.length)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.filter((id) => !/^[a-z][a-z-]*$/.test(id ?? ''))).toEqual([])
    expect(asked.some(({ validations }) => validations?.required)).toBe(true)
  })

  test('names only pages that exist', () => {
    const named = JSON.stringify(form).match(/\b(?:docs\/)?[\w-]+\.md\b/g) ?? []
    expect(named.filter((page) => !existsSync(page))).toEqual([])
  })
})

test('a report of a fault has the output of doctor and explain', () => {
  const { body } = parse(readPage(`${FOLDER}/bug.yml`)) as { readonly body: readonly Element[] }
  const required = body
    .filter(({ validations }) => validations?.required)
    .map(({ attributes }) => attributes.label)
  expect(required).toEqual(expect.arrayContaining(['php-sessions doctor --json', 'php-sessions explain']))
})

test('a vulnerability is not for the tracker', () => {
  const config = parse(readPage(`${FOLDER}/config.yml`))
  expect(config.blank_issues_enabled).toBe(false)
  expect(config.contact_links).toHaveLength(1)
  for (const link of config.contact_links) {
    expect(Object.keys(link).toSorted()).toEqual(['about', 'name', 'url'])
    expect(link.url).toMatch(/^https:\/\//)
    expect(link.about).toContain('SECURITY.md')
  }
  expect(readPage(`${FOLDER}/bug.yml`)).toContain('SECURITY.md')
})
