import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PHP_LIMIT } from '../../../lab/php/installed.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { HANDLER_TEXT } from '../../support/handler-text.ts'

const SERVERS = [{ host: '127.0.0.1', port: 1 }]
const WRITTEN = { master: { host: '127.0.0.2', port: 6379 }, by: '127.0.0.1:1', origin: [SERVERS, 'm'] }

/** Asks the handler's own code for the master, without running it as a page would. */
const ASK = `
  define('CODE', preg_replace('/^install\\(.*/ms', '', substr(file_get_contents($argv[1]), 5)));
  eval(CODE);
  $map = new PhpSessions\\ServerMap(json_decode($argv[2], true));
  try {
      echo $map->serverFor('k', microtime(true) + 1)['host'];
  } catch (Throwable $error) {
      echo $error->getMessage();
  }`

test('root asks the Sentinels, and does not go where the file that workers write leads', ({ skip }) => {
  if (process.getuid?.() !== 0) skip('only root can be two users')
  const directory = makeScratch('root')
  chmodSync(directory, 0o755)
  const [handler, stateFile] = [join(directory, 'handler.php'), join(directory, 'state.json')]
  writeFileSync(handler, HANDLER_TEXT.redis)
  writeFileSync(stateFile, JSON.stringify(WRITTEN))
  const settings = {
    ...{ topology: 'sentinel', servers: SERVERS, stateFile, tls: false, ca: null, clientCertificate: null },
    sentinel: { masterName: 'm', tls: false, user: null, password: null },
    ...{ user: null, password: 'p', connectSeconds: 1, readSeconds: 1 },
  }
  const php = ['php', '-r', ASK, '--', handler, JSON.stringify(settings)]
  const ask = (...before: string[]) => {
    const [file = '', ...args] = [...before, ...php]
    return spawnSync(file, args, { encoding: 'utf8', ...PHP_LIMIT }).stdout
  }
  expect(ask('setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups')).toBe('127.0.0.2')
  expect(ask()).toMatch(/^no Sentinel names a master: 127\.0\.0\.1:1 /)
})
