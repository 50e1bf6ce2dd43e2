import type { Check } from '../check.ts'
import * as binding from './binding.ts'
import { cookieScope } from './cookie-scope.ts'
import * as effective from './effective-settings.ts'
import { encrypted } from './encrypted.ts'
import * as php from './installed-php.ts'
import { managedHandler } from './managed-handler.ts'
import * as secrets from './secrets.ts'
import { allowedCommands } from './servers/handler-commands.ts'
import { login } from './servers/login.ts'
import * as memcached from './servers/memcached-server.ts'
import * as network from './servers/network.ts'
import { previousStore } from './servers/previous-store.ts'
import { protection, timeLimit } from './servers/protection.ts'
import * as redis from './servers/redis-server.ts'
import * as tls from './servers/tls.ts'
import * as session from './session.ts'

/** The checks of each store. */
const ofStore: readonly Check[] = [
  network.resolve,
  network.connect,
  tls.handshake,
  login,
  redis.topology,
  redis.role,
  redis.database,
  allowedCommands,
  redis.memory,
  redis.clients,
  memcached.handlerCommands,
  memcached.itemSize,
  memcached.evictions,
  memcached.connections,
]

/** Every check, in order: each needs only checks before it, and slow ones come last. */
export const checks: readonly Check[] = [
  binding.plan,
  binding.instances,
  php.found,
  php.iniSyntax,
  php.extension,
  effective.effective,
  effective.fpm,
  managedHandler,
  ...ofStore,
  previousStore(ofStore),
  session.roundtrip,
  session.lock,
  encrypted,
  session.lifetime,
  session.cookie,
  cookieScope,
  session.autoStart,
  timeLimit,
  protection,
  secrets.display,
  secrets.files,
]
