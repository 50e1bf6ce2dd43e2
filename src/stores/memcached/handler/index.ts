import type { StorePart } from '../../handler/join.ts'
import binary from './binary.php'
import cache from './cache.php'
import head from './head.php'
import install from './install.php'
import line from './line.php'
import lock from './lock.php'
import memcachedSession from './memcached-session.php'
import meta from './meta.php'
import openSessions from './open-sessions.php'
import protocol from './protocol.php'

/** Its client. */
export const memcachedClientFiles = [protocol, meta, binary, cache, line, lock]

/** The managed handler's part for one Memcached. */
export const memcachedPart: StorePart = {
  head,
  files: [...memcachedClientFiles, memcachedSession, openSessions],
  install,
}
