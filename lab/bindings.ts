/** Any value that JSON can hold. */
type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** The password of every fixture, with characters that break ini files, save paths and shells. Nothing may print it. */
export const CANARY = `c4n&ry+pass,w%41 "'\${HOME};#=@@\\`

/** A key with which sessions are encrypted, in hex. */
export const SESSION_KEY = '8f3a1c5e7b90d2461fa8c3e5b7d90214f6a8c0e2b4d6f8091a2b3c4d5e6f7081'

/** The length of a part that is recognised: stack traces cut arguments off. */
const PART = 6

/** Whether a text contains the canary or a part of it, as it is or as a URL has it. */
export function showsCanary(text: string): boolean {
  return [CANARY, encodeURIComponent(CANARY)].some((form) =>
    Array.from({ length: form.length - PART + 1 }, (_, at) => form.slice(at, at + PART)).some((part) =>
      text.includes(part),
    ),
  )
}

/** One service as Cloud Foundry describes it. */
export interface Service {
  readonly name: string
  readonly label?: string
  readonly tags?: readonly string[]
  readonly credentials: Json
}

/** VCAP_SERVICES with these services bound. */
export function vcapServices(...services: readonly Service[]): string {
  const byLabel: Record<string, Service[]> = {}
  for (const service of services) {
    const label = service.label ?? 'user-provided'
    byLabel[label] ??= []
    byLabel[label].push(service)
  }
  return JSON.stringify(byLabel)
}

export const redisService: Service = {
  name: 'app-redis-sessions',
  label: 'p.redis',
  tags: ['redis'],
  credentials: { host: '10.0.4.30', port: 6379, password: CANARY },
}

/** A service that is a cluster of these nodes, with the canary as its password. */
export function clusterService(nodes: readonly { readonly host: string; readonly port: number }[]): Service {
  const places = nodes.map(({ host, port }) => `${host}:${port}`).join(',')
  return { name: 'redis-sessions', credentials: { 'cluster.nodes': places, password: CANARY } }
}

export const memcachedService: Service = {
  name: 'app-memcached-sessions',
  label: 'memcachier',
  tags: ['caching'],
  credentials: { servers: 'mc1.example:11211, mc2.example', username: 'app', password: CANARY },
}
