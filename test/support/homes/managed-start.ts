import { redisService, type Service, vcapServices } from '../../../lab/bindings.ts'
import { main } from '../../../src/cli/main.ts'
import type { PoolLine } from '../../../src/php/answers.ts'
import { fakeHost } from '../host/fake-host.ts'
import { type FakeAnswers, fakePhp } from '../host/fake-php.ts'
import { FPM, poolFiles } from '../pools.ts'

/** What a PHP says, and the pools of its php-fpm. */
export type Answer = NonNullable<FakeAnswers['look-around']> & { readonly pools?: readonly PoolLine[] }

export const line = (name: string, value: string, from = '/etc/php/conf.d/app.ini:7') => ({
  name,
  value,
  from,
})
export const pool = (kind: string, name: string, value: string) => ({
  ...line(name, value, '/etc/php/pool.d/www.conf:9'),
  kind,
  pool: 'www',
})
export const PHP: Answer = { versionId: 80405, phpredis: '6.2.0', loaded: ['redis'] }
export const DIRECTORY = '/tmp/php-sessions-unique'

/** What `exec` said and wrote, with the managed handler wanted. */
export function start(
  answer: Answer,
  files: Readonly<Record<string, string>> = {},
  services: readonly Service[] = [redisService],
  more: Readonly<Record<string, string>> = {},
) {
  const env = { PHP_SESSIONS_HANDLER: 'managed', VCAP_SERVICES: vcapServices(...services), ...more }
  const { pools = [], ...said } = answer
  const php = fakePhp({ 'look-around': { ...PHP, fpm: FPM, ...said } })
  const host = fakeHost(env, { ...poolFiles(pools), ...files }, php)
  let ini = ''
  const supervise = () => {
    ini = host.files.get(`${DIRECTORY}/00-php-sessions.ini`) ?? ''
    return 0
  }
  const server = Object.keys(files).some((path) => path.endsWith('.htaccess'))
    ? 'apache2-foreground'
    : 'php-fpm'
  const status = main({ ...host, supervise }, ['exec', '--app', '/app', '--', server])
  return { status, err: host.output.err, ini }
}
