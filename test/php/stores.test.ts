import { describe, expect, onTestFinished, test } from 'vitest'
import { renderIni } from '../../src/core/ini.ts'
import { PHPS } from '../support/php.ts'
import { planFor } from '../support/plan.ts'
import { STORES } from '../support/stores.ts'

const VISIT = `
if (isset($argv[1])) session_id($argv[1]);
session_start();
$_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
echo session_id(), ' ', $_SESSION['visits'];`

describe.each(PHPS)('%s', (_, { loadExtensions, runPhp }) => {
  test.each(Object.entries(STORES))('the next process finds the session: %s', async (_, start) => {
    const store = await start()
    onTestFinished(store.stop)
    const { directives, extensions } = planFor([store.service])
    // What an operator does by the environment; PHP as these tests run it has none.
    const trust = `openssl.cafile = "${store.env.SSL_CERT_FILE ?? ''}"\n`
    const ini = loadExtensions(...extensions) + trust + renderIni(directives)
    const visit = (...id: readonly string[]) =>
      runPhp(ini, VISIT, ...id)
        .toString()
        .split(' ')
    const [id = '', visits] = visit()
    expect(visits).toBe('1')
    expect(visit(id)).toEqual([id, '2'])
  })
})
