import { describe, expect, onTestFinished, test } from 'vitest'
import { cookieIn } from '../../../lab/php/fastcgi.ts'
import { startFpm } from '../../../lab/php/fpm.ts'
import { until } from '../../../lab/processes/until.ts'
import { configureManaged, startRedisService } from '../../support/php/managed.ts'
import { lockTextOf, startMemcachedService, waitingIn } from '../../support/php/managed-memcached.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'

const PAGES = {
  slow: `session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; usleep(3000000); echo 'n', $_SESSION['n'];`,
  quick: `session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; usleep(150000); echo 'n', $_SESSION['n'];`,
  first: `session_start(); echo $_SESSION['n'] = 0;`,
}

/** Each store, and how many requests wait for a session there. */
const STORES = {
  Redis: async () => {
    const { redis, service } = await startRedisService()
    return { service, waiting: (id: string) => Number(redis.cli('ZCARD', `PHPREDIS_SESSION:${id}_WAIT`)) }
  },
  Memcached: async () => {
    const { service, client } = await startMemcachedService()
    return { service, waiting: async (id: string) => waitingIn(await lockTextOf(client, id)).length }
  },
}

async function start(underTest: PhpUnderTest, store: keyof typeof STORES, workers: number) {
  const { service, waiting } = await STORES[store]()
  const ini = configureManaged(underTest, service)
  const fpm = await startFpm({
    php: underTest.php,
    ini: () => ini,
    pools: [{ workers }],
    env: {},
    pages: PAGES,
  })
  onTestFinished(fpm.stop)
  const newVisitor = async () => cookieIn(await fpm.ask('first')) ?? ''
  return { fpm, newVisitor, waiting: (cookie: string) => waiting(cookie.split('=')[1] ?? '') }
}

const isRefused = (answer: string) => answer.startsWith('Status: 429')

const PLACES = PHPS.flatMap(([name, underTest]) =>
  (['Redis', 'Memcached'] as const).map((store) => ({ name, underTest, store })),
)

describe.each(PLACES)('$name, $store', ({ underTest, store }) => {
  test('one visitor with more requests than workers does not keep another waiting for their turns', async ({
    skip,
  }) => {
    const version = Number(underTest.runPhp('', 'echo PHP_VERSION_ID;').toString())
    if (version < 80414) skip('php-fpm cannot be asked: php-src GH-19974')
    const { fpm, newVisitor, waiting } = await start(underTest, store, 8)
    const [one, other] = [await newVisitor(), await newVisitor()]
    let served = 0
    const many = Array.from({ length: 13 }, async () => {
      const answer = await fpm.ask('slow', one)
      if (!isRefused(answer)) served++
      return answer
    })
    await until('all workers to be taken', async () => (await waiting(one)) === 7)
    await fpm.ask('first', other)
    // Without the rule it is the fourteenth, for which six must have had three seconds each.
    expect(served).toBeLessThan(3)
    const answers = await Promise.all(many)
    const refused = answers.filter(isRefused).length
    expect(refused).toBeGreaterThan(0)
    // Those who were served have all counted.
    const counts = answers.filter((answer) => !isRefused(answer)).map((answer) => /n(\d+)$/.exec(answer)?.[1])
    expect(counts.sort()).toEqual(Array.from({ length: 13 - refused }, (_, i) => String(i + 1)).sort())
  })

  test('twenty requests of a page at once are served one after the other where there are workers', async () => {
    const { fpm, newVisitor } = await start(underTest, store, 24)
    const one = await newVisitor()
    const answers = await Promise.all(Array.from({ length: 20 }, () => fpm.ask('quick', one)))
    expect(answers.filter((answer) => /n\d+$/.test(answer))).toHaveLength(20)
  })

  test('as many requests at once as there are workers are served while nobody queues', async () => {
    const { fpm, newVisitor } = await start(underTest, store, 8)
    const one = await newVisitor()
    const answers = await Promise.all(Array.from({ length: 8 }, () => fpm.ask('quick', one)))
    expect(answers.filter((answer) => /n\d+$/.test(answer))).toHaveLength(8)
  })
})
