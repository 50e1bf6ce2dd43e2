import { expect, test } from 'vitest'
import { readVcapServices } from '../../src/platforms/cloudfoundry.ts'
import { fakeHost } from '../support/host/fake-host.ts'

test.each([
  ['nothing is bound', '{}', []],
  ['the platform has not written it yet', '', ['error vcap.json: /services.json is empty']],
  ['it has only a line break', '\n', ['error vcap.json: /services.json is empty']],
  ['it is cut off', '{"redis":', ['error vcap.json: /services.json is not JSON']],
  ['it is missing', undefined, ['error vcap.json: /services.json does not exist']],
])('the file that VCAP_SERVICES_FILE_PATH names, where %s', (_what, text, said) => {
  const files = text === undefined ? {} : { '/services.json': text }
  const host = fakeHost({ VCAP_SERVICES_FILE_PATH: '/services.json' }, files)
  const { bindings, findings } = readVcapServices(host)
  expect(bindings).toEqual([])
  expect(findings.map(({ level, id, title }) => `${level} ${id}: ${title}`)).toEqual(said)
})
