import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** A folder in which `composer require colinmollenhour/php-redis-session-abstract` was run. */
const { PHP_REDIS_SESSION_ABSTRACT: FOLDER } = process.env
const AUTOLOAD = FOLDER === undefined ? undefined : join(FOLDER, 'vendor/autoload.php')

/** Why php-redis-session-abstract is not among the contenders; undefined if it is. */
export const NO_ABSTRACT =
  AUTOLOAD === undefined
    ? 'php-redis-session-abstract is missing: PHP_REDIS_SESSION_ABSTRACT names no folder with it'
    : existsSync(AUTOLOAD)
      ? undefined
      : `there is no ${AUTOLOAD}`

/** What the library asks its configuration; what is not in here has its default. */
const GETTERS = [
  'LogLevel Database Timeout Retries PersistentIdentifier CompressionThreshold CompressionLibrary Lifetime',
  'MaxLifetime MinLifetime DisableLocking BotLifetime BotFirstLifetime FirstLifetime BreakAfter FailAfter',
  'SentinelServers SentinelMaster SentinelVerifyMaster SentinelConnectRetries',
].flatMap((names) => names.split(' '))

/** Code for the beginning of a page: the library as Magento uses it, but as many requests of one visitor may wait as come. */
export function abstractHandler(port: number, password: string): string {
  const values = { Host: "'127.0.0.1'", Port: String(port), Password: `'${password}'`, MaxConcurrency: '100' }
  const getters = [
    ...GETTERS.map((name) => `public function get${name}() { return null; }`),
    ...Object.entries(values).map(([name, value]) => `public function get${name}() { return ${value}; }`),
  ]
  return `require '${AUTOLOAD}';
    session_set_save_handler(new \\Cm\\RedisSession\\Handler(
      new class implements \\Cm\\RedisSession\\Handler\\ConfigInterface { ${getters.join(' ')} },
      new class implements \\Cm\\RedisSession\\Handler\\LoggerInterface {
        public function setLogLevel($level) {} public function log($message, $level) {}
        public function logException(\\Exception $e) { error_log($e->getMessage()); } }));`
}
