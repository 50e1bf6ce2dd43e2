import { expect, test } from 'vitest'
import { withoutHead } from '../../src/stores/handler/join.ts'
import rule from '../../src/stores/handler/waiting/pool.php'
import { runPhp } from '../support/php/php.ts'

// What a real pool does is in managed/small-pool.test.ts. This is the rule, with the states of all kinds of pools.

/** All workers are busy, and requests queue in front of them. */
const FULL = {
  'process-manager': 'static',
  'listen-queue': 1,
  'listen-queue-len': 511,
  'idle-processes': 0,
  'max-children-reached': 0,
}

const isFull = (status: object | false, version = 80414) => {
  const code = `${withoutHead(rule)}
    eval('function fpm_get_status() { return json_decode($GLOBALS["argv"][1], true); }');
    echo json_encode(isPoolFull((int) $argv[2]));`
  return String(runPhp('', code, JSON.stringify(status), String(version)))
}

test.each<[string, object | false, boolean]>([
  ['all workers of a static pool are busy, and a request queues', FULL, true],
  ['a worker is idle', { ...FULL, 'idle-processes': 1 }, false],
  ['nobody queues', { ...FULL, 'listen-queue': 0 }, false],
  ['a Unix socket, whose queue is not known', { ...FULL, 'listen-queue': 0, 'listen-queue-len': 0 }, true],
  ['a pool that can still grow', { ...FULL, 'process-manager': 'dynamic' }, false],
  [
    'a pool that has grown as far as it may',
    { ...FULL, 'process-manager': 'ondemand', 'max-children-reached': 1 },
    true,
  ],
  ['php-fpm gives no status', false, false],
])('whether a pool is full: %s', (_state, status, expected) => {
  expect(isFull(status)).toBe(String(expected))
})

test.each([
  ['8.2.99', 80299, false],
  ['8.3.26', 80326, false],
  ['8.3.27', 80327, true],
  ['8.4.13', 80413, false],
  ['8.4.14', 80414, true],
  ['8.5.0', 80500, true],
])('php-fpm %s is asked only if that cannot crash a worker', (_version, id, expected) => {
  expect(isFull(FULL, id)).toBe(String(expected))
})
