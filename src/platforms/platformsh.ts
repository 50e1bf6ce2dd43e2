import { isObject, parseJson } from '../core/binding.ts'
import { decodeBase64 } from '../core/formats/base64.ts'
import type { Host } from '../host/host.ts'
import type { Bindings } from './bindings.ts'

/**
 * Reads the relationships of Platform.sh and Upsun: base64 of an object with one list per relationship.
 *
 * https://docs.upsun.com/development/variables/use-variables.html
 */
export function readPlatformRelationships({ env }: Host): Bindings {
  const source = 'PLATFORM_RELATIONSHIPS'
  const relationships = parseJson(decodeBase64(env[source] ?? '') ?? '')
  if (!isObject(relationships)) return { bindings: [], findings: [] }
  return {
    bindings: Object.entries(relationships).flatMap(([name, list]) => {
      const [service] = Array.isArray(list) ? list : []
      if (!isObject(service)) return []
      const kinds = [service.scheme, service.type].filter((kind) => typeof kind === 'string')
      const from = `${source} ${name}`
      return [
        {
          name,
          names: [name],
          kinds,
          plan: undefined,
          credentials: service,
          source,
          from,
          fieldPrefix: `${from} `,
          isChosenByKind: true,
        },
      ]
    }),
    findings: [],
  }
}
