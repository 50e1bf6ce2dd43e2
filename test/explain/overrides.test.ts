import { expect, test } from 'vitest'
import { CANARY, redisService } from '../../lab/bindings.ts'
import { Secret } from '../../src/core/secret.ts'
import { findOverrides } from '../../src/explain/overrides.ts'
import { UNKNOWN_PHP } from '../../src/php/complete.ts'
import { differs, is, OURS, phpWith } from '../doctor/answers.ts'
import { fakeHost } from '../support/host/fake-host.ts'
import { planFor } from '../support/plan.ts'

const NGINX = '/etc/nginx/conf.d/app.conf'
const APACHE = '/etc/apache2/sites-enabled/app.conf'
const LATER = '/etc/php/8.4/conf.d/99-app.ini'

/** One setting of php-sessions for each place that can override it. */
const FILES = {
  [NGINX]: 'location / {\n  fastcgi_param PHP_VALUE "session.name=NGINX";\n}\n',
  [APACHE]: '<Directory /app>\n  SetEnv PHP_VALUE "redis.session.lock_expire=5"\n</Directory>\n',
  '/app/.user.ini': 'memory_limit = 1G\nredis.session.lock_retries = 9\n',
  '/app/public/.htaccess': 'php_flag session.use_strict_mode off\n',
  '/app/.bp-config/php/php.ini.d/a.ini': 'redis.session.lock_wait_time = 77\n',
}

test('explain lists what overrides a setting of php-sessions, in whatever place, with the line and its pages', () => {
  const host = fakeHost({}, FILES)
  const php = {
    ...UNKNOWN_PHP,
    fpm: undefined,
    served: ['php', '-d', 'redis.pconnect.pool_pattern=x', '-S', '0.0.0.0:80'],
    isReadLater: (path: string) => path === LATER,
  }
  const pool = (kind: string, name: string, value: string, number: number) => ({
    ...{ pool: 'www', kind, name, value },
    from: `/etc/php-fpm.d/www.conf:${number}`,
  })
  const pools = [
    pool('php_admin_value', 'session.save_path', `tcp://10.1.1.1:6379?auth=${CANARY}`, 3),
    pool('php_admin_value', 'session.save_handler', 'redis', 4),
  ]
  const settings = phpWith({
    'redis.session.locking_enabled': differs('0', `${LATER}:2`),
    'session.use_strict_mode': differs('0', '/etc/php/8.4/php.ini:8'),
    'session.name': differs('OLD', `${OURS}:3`),
    'session.save_handler': is('redis', `${LATER}:1`),
  })
  const { directives } = planFor([redisService])
  const found = findOverrides(host, '/app', php, { facts: undefined, pools }, directives, settings)
  const lines = found.map(({ name, value, from, pages }) => `${name} = ${value}, ${from}, ${pages}`)
  expect(lines).toMatchInlineSnapshot(`
    [
      "redis.pconnect.pool_pattern = x, -d redis.pconnect.pool_pattern, ",
      "redis.session.locking_enabled = 0, /etc/php/8.4/conf.d/99-app.ini:2, ",
      "redis.session.lock_wait_time = 77, /app/.bp-config/php/php.ini.d/a.ini:1, ",
      "session.save_path = tcp://10.1.1.1:6379, /etc/php-fpm.d/www.conf:3, the pool www",
      "redis.session.lock_expire = 5, /etc/apache2/sites-enabled/app.conf:2, pages that /etc/apache2/sites-enabled/app.conf serves",
      "session.name = NGINX, /etc/nginx/conf.d/app.conf:2, pages that /etc/nginx/conf.d/app.conf serves",
      "redis.session.lock_retries = 9, /app/.user.ini:2, pages below /app",
      "session.use_strict_mode = off, /app/public/.htaccess:1, pages below /app/public",
    ]
  `)
  expect(JSON.stringify(found)).not.toContain(CANARY)
})

test('a secret setting is listed without its value', () => {
  const [name, value] = ['memcached.sess_sasl_password', 'not-to-be-seen']
  const directives = [{ name, value: new Secret('theirs'), because: '' }]
  const host = fakeHost({}, { '/app/.user.ini': `${name} = ${value}\n` })
  const php = {
    ...UNKNOWN_PHP,
    fpm: undefined,
    served: ['php', '-d', `${name}=${value}`, '-S', '0.0.0.0:80'],
  }
  const found = findOverrides(host, '/app', php, { facts: undefined, pools: [] }, directives, undefined)
  expect(found).toEqual([
    { name, value: null, from: `-d ${name}`, pages: '' },
    { name, value: null, from: '/app/.user.ini:1', pages: 'pages below /app' },
  ])
})
