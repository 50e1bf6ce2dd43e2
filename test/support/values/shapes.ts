import { readFileSync } from 'node:fs'
import { vcapServices } from '../../../lab/bindings.ts'
import type { Json, JsonObject } from '../../../src/core/binding.ts'

/** A binding as a real platform makes it, and what a correct reading of it gives. */
export interface Shape {
  readonly id: string
  readonly label: string
  readonly plan?: string
  readonly kind: 'redis' | 'valkey' | 'memcached' | 'none'
  readonly tags?: readonly string[]
  readonly delivery: string
  readonly credentials: JsonObject
  /** Files that the credentials refer to: path to text. */
  readonly files?: Readonly<Record<string, string>>
  /** Null if it is no session store, or if nobody can know. */
  readonly expect: Expected | null
}

/** Only the properties to check; `ambiguous` names those that nobody can know. */
export interface Expected {
  readonly ambiguous?: readonly string[]
  readonly [name: string]: Json | readonly string[] | undefined
}

const read = (name: string): readonly Shape[] =>
  JSON.parse(readFileSync(`${import.meta.dirname}/../../fixtures/shapes-${name}.json`, 'utf8'))

/** The brokers' shapes from which the rules were made. */
export const BROKER_SHAPES = read('brokers')
/** Shapes that were found afterwards: of platforms, operators, images, clients and pasted texts. */
export const FIELD_SHAPES = read('field')

/** The environment and the files by which a shape arrives. */
export interface Arrival {
  readonly env: Record<string, string>
  readonly files: Readonly<Record<string, string>>
}

/** The ways in which a shape can arrive, by name; undefined where it cannot arrive that way. */
export const ARRIVALS: Readonly<Record<string, (shape: Shape) => Arrival | undefined>> = {
  VCAP_SERVICES: (shape) => (isVariables(shape) || isTree(shape) ? undefined : inVcapServices(shape)),
  VCAP_SERVICES_FILE_PATH: (shape) =>
    isVariables(shape) || isTree(shape)
      ? undefined
      : {
          env: { VCAP_SERVICES_FILE_PATH: '/etc/cf-service-bindings/vcap_services' },
          files: { '/etc/cf-service-bindings/vcap_services': vcapOf(shape) },
        },
  "Cloud Foundry's files": (shape) => {
    const canBe = Object.keys(shape.credentials).every((key) => /^[a-z0-9\-._]{1,253}$/.test(key))
    if (isVariables(shape) || !canBe) return undefined
    const attributes = {
      ...attributesOf(shape),
      provider: typeOf(shape),
      label: typeOf(shape),
      name: serviceName(shape),
    }
    return inFiles('SERVICE_BINDING_ROOT', '/etc/cf-service-bindings', serviceName(shape), {
      ...shape.credentials,
      ...attributes,
      'instance-name': serviceName(shape),
      'instance-guid': '36bdb1b4-b23b-4108-baa6-cb58ba842e62',
    })
  },
  SERVICE_BINDING_ROOT: (shape) =>
    isVariables(shape)
      ? undefined
      : inFiles('SERVICE_BINDING_ROOT', '/bindings', 'anything', {
          ...attributesOf(shape),
          ...shape.credentials,
        }),
  CNB_BINDINGS: (shape) =>
    isVariables(shape)
      ? undefined
      : inFiles('CNB_BINDINGS', '/bindings', 'anything', { ...attributesOf(shape), ...shape.credentials }),
  'the older layout': (shape) =>
    isVariables(shape) || isTree(shape)
      ? undefined
      : inFiles('CNB_BINDINGS', '/bindings', 'anything', {
          ...prefixed('metadata/', { kind: typeOf(shape), ...attributesOf(shape) }),
          ...prefixed('secret/', shape.credentials),
        }),
  'environment variables': (shape) =>
    isVariables(shape) && !isRelationships(shape)
      ? { env: Object.fromEntries(texts(shape.credentials)), files: shape.files ?? {} }
      : undefined,
  PLATFORM_RELATIONSHIPS: (shape) =>
    isRelationships(shape)
      ? {
          env: {
            PLATFORM_RELATIONSHIPS: Buffer.from(JSON.stringify(shape.credentials)).toString('base64'),
          },
          files: {},
        }
      : undefined,
}

/** Puts a shape into VCAP_SERVICES, as a service whose name has the search key. */
export function inVcapServices(shape: Shape): Arrival {
  return { env: { VCAP_SERVICES: vcapOf(shape) }, files: {} }
}

function isVariables({ delivery }: Shape): boolean {
  return delivery === 'env'
}

function isRelationships({ credentials }: Shape): boolean {
  return Object.values(credentials).every((value) => Array.isArray(value))
}

/** Whether the shape is a directory tree itself. */
function isTree({ credentials }: Shape): boolean {
  return Object.keys(credentials).some((key) => key.includes('/'))
}

function serviceName({ kind }: Shape): string {
  return kind === 'memcached' ? 'app-memcached-sessions' : 'app-redis-sessions'
}

/** A label in brackets is a remark: the type then comes from the credentials, or is the kind. */
function typeOf({ label, kind, credentials }: Shape): string {
  if (typeof credentials.type === 'string') return credentials.type
  return label.startsWith('(') ? kind : label
}

function attributesOf(shape: Shape): JsonObject {
  return {
    type: typeOf(shape),
    ...(shape.plan === undefined ? {} : { plan: shape.plan }),
    ...(shape.tags === undefined ? {} : { tags: [...shape.tags] }),
  }
}

function vcapOf(shape: Shape): string {
  const { credentials, plan, tags = [] } = shape
  return vcapServices({ name: serviceName(shape), label: typeOf(shape), tags, plan, credentials } as never)
}

function inFiles(variable: string, root: string, name: string, entries: JsonObject): Arrival {
  const files = texts(entries).map(([key, text]) => [`${root}/${name}/${key}`, text])
  return { env: { [variable]: root }, files: Object.fromEntries(files) }
}

/** Values as platforms write them into files: texts as they are, empty values not at all, all others as JSON. */
function texts(values: JsonObject): readonly (readonly [string, string])[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return ['null', '[]', '{}'].includes(text) && typeof value !== 'string' ? [] : [[key, text] as const]
  })
}

function prefixed(prefix: string, values: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [prefix + key, value]))
}
