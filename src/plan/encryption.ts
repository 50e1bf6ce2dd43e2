import type { Binding } from '../core/binding.ts'
import { readCredentials } from '../core/credentials/credentials.ts'
import { parseKeys } from '../core/encryption.ts'
import type { Endpoint } from '../core/endpoint.ts'
import type { Finding } from '../core/finding.ts'
import type { Handler, Options } from '../core/options.ts'
import type { Php } from '../core/php.ts'
import { Secret } from '../core/secret.ts'

const OPTION = 'PHP_SESSIONS_ENCRYPTION_KEY'

/** The keys that the user has set, or else those in the credentials of the chosen service. */
export function readEncryption(binding: Binding, options: Options): ReturnType<typeof parseKeys> {
  const own = options[OPTION]
  if (own !== undefined) return parseKeys({ value: own, from: OPTION })
  const field = readCredentials(binding).text('sessionKeys')
  if (field === undefined) return { value: undefined, findings: [] }
  return parseKeys({ value: new Secret(field.value), from: field.from })
}

/** What keeps the sessions from being encrypted and compressed as they are to be: they are never kept in clear instead. */
export function encryptionFindings(
  { encryption }: Endpoint,
  { PHP_SESSIONS_COMPRESSION: compression }: Options,
  { codecs }: Pick<Php, 'codecs'>,
  handler: Handler,
  whyNative: readonly Finding[],
): readonly Finding[] {
  if (handler === 'native')
    return [
      ...(encryption === undefined ? [] : [refuseNative(encryption.from, whyNative)]),
      ...(compression === undefined ? [] : [uselessCompression(compression)]),
    ]
  const lacks = (codec: string) => codecs !== undefined && !codecs.includes(codec)
  return [
    ...(encryption !== undefined && lacks('sodium') ? [noSodium(encryption.from)] : []),
    ...(compression !== undefined && lacks(compression) ? [noCompression(compression)] : []),
  ]
}

function refuseNative(from: string, [why]: readonly Finding[]): Finding {
  return {
    id: 'encryption.native',
    level: 'error',
    title: `sessions are to be encrypted, but only the managed handler encrypts: ${why?.title ?? 'PHP_SESSIONS_HANDLER is native'}`,
    from,
    fix: why?.fix ?? 'remove PHP_SESSIONS_HANDLER, or the key',
  }
}

function uselessCompression(method: string): Finding {
  return {
    id: 'compression.native',
    level: 'warn',
    title: `PHP_SESSIONS_COMPRESSION=${method} has no effect: PHP's own handler keeps the sessions`,
    from: 'PHP_SESSIONS_COMPRESSION',
    fix: 'also set PHP_SESSIONS_HANDLER=managed, or remove PHP_SESSIONS_COMPRESSION',
  }
}

function noSodium(from: string): Finding {
  return {
    id: 'encryption.sodium',
    level: 'error',
    title: 'sessions are to be encrypted, but this PHP has no extension sodium',
    from,
    fix: 'install and load the extension sodium, for example with "ext-sodium": "*" in composer.json, or remove the key',
  }
}

function noCompression(method: string): Finding {
  return {
    id: 'compression.missing',
    level: 'error',
    title: `this PHP cannot compress sessions with ${method}: it has ${method === 'gzip' ? 'no extension zlib' : `neither the extension ${method} nor a phpredis 6 with it`}`,
    from: 'PHP_SESSIONS_COMPRESSION',
    fix: 'load that extension, or choose another method: zstd, lz4 or gzip',
  }
}
