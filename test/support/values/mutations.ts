import type { Json, JsonObject } from '../../../src/core/binding.ts'
import { fc } from '../properties.ts'
import { BROKER_SHAPES, FIELD_SHAPES, type Shape } from './shapes.ts'

const nested = (depth: number): Json => (depth === 0 ? 'deep' : { redis: nested(depth - 1) })

/** What a value may be replaced by: other types, other texts, nothing. */
const anything: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(null, true, false, 0, -1, 65536, 1e300, 2 ** 60, '', ' ', '0', 'null', 'not-found'),
  fc.constantFrom<Json>([], {}, [[]], [{}], [null], [['a']], { host: 'h' }, [{ host: 1 }], nested(50)),
  fc.constantFrom<Json>('a\0b', '\ud800', '\u0007\u001b[31m', 'h\nextension=evil', 'x'.repeat(200_000)),
  fc.constantFrom<Json>(
    'redis://',
    'redis://@',
    'rediss://h:0',
    'redis://h:99999/x',
    'redis:?host[',
    '://',
    '[{',
    '{"',
  ),
  fc.constantFrom<Json>(
    `redis://${'h,'.repeat(5_000)}`,
    `${':'.repeat(5_000)}@`,
    '[::1',
    '::1',
    '[::1]:6379',
  ),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.jsonValue() as fc.Arbitrary<Json>,
)

interface Mutation {
  readonly field: number
  readonly kind: 'remove' | 'replace' | 'rename' | 'swap'
  readonly value: Json
}

const mutations = fc.array(
  fc.record<Mutation>({
    field: fc.nat(20),
    kind: fc.constantFrom('remove', 'replace', 'rename', 'swap'),
    value: anything,
  }),
  { minLength: 1, maxLength: 4 },
)

function mutate(credentials: JsonObject, { field, kind, value }: Mutation): JsonObject {
  const keys = Object.keys(credentials)
  const key = keys[field % keys.length]
  if (key === undefined) return { [typeof value === 'string' ? value : 'host']: value }
  const { [key]: old = null, ...others } = credentials
  if (kind === 'remove') return others
  if (kind === 'replace') return { ...others, [key]: value }
  if (kind === 'rename') return { ...others, [typeof value === 'string' ? value : `${key}_`]: old }
  // A list in place of a text, a text in place of anything else.
  return { ...others, [key]: typeof old === 'string' ? [old] : JSON.stringify(old) }
}

const shapes = [...BROKER_SHAPES, ...FIELD_SHAPES].filter(({ kind }) => kind !== 'none')
/** Shapes with a few fields removed, renamed, replaced or of another type. */
export const mutatedShapes = fc
  .record({ shape: fc.constantFrom(...shapes), changes: mutations })
  .map(({ shape, changes }): Shape => ({ ...shape, credentials: changes.reduce(mutate, shape.credentials) }))
