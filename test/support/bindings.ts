import type { Json } from '../../src/core/binding.ts'

/** The password of every fixture: with what breaks ini files, save paths and shells. Nothing may print it. */
export const CANARY = `c4n&ry+pass,w%41 "'\${HOME};#=@@\\`

/** One service as Cloud Foundry describes it. */
export interface Service {
  readonly name: string
  readonly label?: string
  readonly tags?: readonly string[]
  readonly credentials: Json
}

/** VCAP_SERVICES of these services. */
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

export const memcachedService: Service = {
  name: 'app-memcached-sessions',
  label: 'memcachier',
  tags: ['caching'],
  credentials: { servers: 'mc1.example:11211, mc2.example', username: 'app', password: CANARY },
}
