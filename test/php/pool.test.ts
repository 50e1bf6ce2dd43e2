import { describe, expect, onTestFinished, test } from 'vitest'
import { startMemcached } from '../../lab/servers/memcached.ts'
import { configure } from '../support/php/configured.ts'
import { PHPS } from '../support/php/php.ts'

const VISITORS = 20

/** Lets visitors come in turn, in one process and on new connections; prints what became of their sessions. */
const VISIT_ALL = `
set_error_handler(fn () => true);
$outcomes = [];
foreach (array_slice($argv, 1) as $id) {
  try {
    session_id($id);
    $isStarted = session_start();
    $count = $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;
    $outcomes[] = !$isStarted ? 'refused' : ($count > 1 ? 'kept' : 'new');
    $ids[] = session_id();
    session_write_close();
  } catch (Error $error) {
    $outcomes[] = 'refused';
    $ids[] = $id;
  }
  $_SESSION = [];
}
echo json_encode(['outcomes' => array_count_values($outcomes), 'ids' => $ids]);`

const NEW_IDS = `for ($i = 0; $i < ${VISITORS}; $i++) $ids[] = bin2hex(random_bytes(16)); echo implode(' ', $ids);`

describe.each(PHPS)('%s', (_, underTest) => {
  test.each([
    ['the settings of php-sessions serve every visitor', ''],
    [
      "the extension's own settings refuse visitors",
      'memcached.sess_remove_failed_servers = Off\nmemcached.sess_server_failure_limit = 0\n',
    ],
  ])('after one of two servers has been killed, %s', async (_what, lines) => {
    const servers = [await startMemcached(), await startMemcached()]
    for (const server of servers) onTestFinished(server.stop)
    const list = servers.map(({ port }) => `127.0.0.1:${port}`).join(',')
    const service = { name: 'memcached-sessions', credentials: { servers: list } }
    const { ini } = configure(underTest, service)
    // Few tries: the test is about who is refused, not about how long that takes.
    const all = `${ini}memcached.sess_lock_retries = 3\n${lines}`
    const visit = (ids: readonly string[]): { outcomes: Record<string, number>; ids: string[] } =>
      JSON.parse(underTest.runPhp(all, VISIT_ALL, ...ids).toString())

    const first = visit(underTest.runPhp('', NEW_IDS).toString().split(' '))
    expect(first.outcomes).toEqual({ new: VISITORS })
    expect(visit(first.ids).outcomes).toEqual({ kept: VISITORS })

    await servers[0]?.stop()
    const { outcomes, ids } = visit(first.ids)
    const isEverybodyServed = lines === ''
    expect((outcomes.refused ?? 0) === 0).toBe(isEverybodyServed)
    if (!isEverybodyServed) return
    // The sessions on the living server are kept. The others start over, some of them on the dead server again.
    expect(outcomes.kept).toBeGreaterThan(0)
    expect(outcomes.kept).toBeLessThan(VISITORS)
    let last = ids
    for (let round = 0; round < 12; round++) last = visit(last).ids
    expect(visit(last).outcomes).toEqual({ kept: VISITORS })
  })
})
