import { expect, test } from 'vitest'
import { stores } from '../../src/stores/index.ts'
import { readPage } from '../support/docs/pages.ts'

const schema = JSON.parse(readPage('docs/doctor.schema.json'))

test('docs/doctor.schema.json has every platform, in the order of the code', () => {
  const declaration = /readonly id:([^\n]*(?:\n\s+\|[^\n]*)*)/.exec(readPage('src/platforms/platform.ts'))
  const ids = [...(declaration?.[1] ?? '').matchAll(/'([a-z]+)'/g)].map(([, id]) => id)
  expect(ids.length).toBeGreaterThan(1)
  expect(schema.properties.platform.enum).toEqual(ids)
})

test('docs/doctor.schema.json has every store', () => {
  expect(schema.$defs.store.properties.kind.enum).toEqual(['files', ...stores.map(({ name }) => name)])
})

test('docs/doctor.schema.json accepts every id of docs/messages.md', () => {
  const ids = [...readPage('docs/messages.md').matchAll(/^### (\S+)$/gm)].map(([, id = '']) => id)
  const { finding, check } = schema.$defs
  const patterns = [finding, check].map(({ properties }) => new RegExp(properties.id.pattern))
  expect(ids.filter((id) => !patterns.every((pattern) => pattern.test(id)))).toEqual([])
})
