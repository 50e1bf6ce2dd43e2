import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { CANARY, vcapServices } from '../../../lab/bindings.ts'
import { askFpm } from '../../../lab/php/fastcgi.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { type ServerProcess, startServer } from '../../../lab/processes/server.ts'
import { startRedis } from '../../../lab/redis/server.ts'
import { startNginx } from '../../../lab/web/nginx.ts'
import { prepare } from '../../../src/homes/home.ts'
import { renderIniFile } from '../../../src/homes/ini-file.ts'
import type { Kept } from '../../../src/homes/kept.ts'
import { machineHome } from '../../../src/homes/machine/home.ts'
import { nodeHost } from '../../../src/host/node.ts'
import { PHPS, type PhpUnderTest } from '../../support/php/php.ts'

/** What sets something, besides the ini file of php-sessions; `DIR` is a directory, `OTHER` another Redis. */
interface World {
  /** php.ini, before the file of php-sessions. */
  readonly ini?: string
  /** The same for php-fpm, if it has a php.ini of its own. */
  readonly fpmIni?: string
  /** An ini file that is read later. */
  readonly later?: string
  /** What follows `php-fpm`. */
  readonly options?: readonly string[]
  readonly pools?: readonly string[]
  /** Files of the app, whose page is in `public`. */
  readonly app?: Readonly<Record<string, string>>
  /** A parameter of every request, as nginx has it. */
  readonly param?: readonly [name: string, value: string]
  readonly isUnbound?: boolean
  /** Where the pages of each pool keep their sessions, and the line that decides. */
  readonly expected: readonly string[]
}

const OURS = 'the bound service'
const FILES = (line: string) => `local files, because ${line}`
const RHEL = 'php_value[session.save_handler] = files\nphp_value[session.save_path] = DIR'
const ELSEWHERE = "127.0.0.1:OTHER by PHP's handler redis"

const WORLDS: Readonly<Record<string, World>> = {
  nothing: { expected: [OURS] },
  'php.ini, which is read before': {
    ini: 'session.save_handler = files\nsession.save_path = DIR',
    expected: [OURS],
  },
  'a later ini file': {
    later: 'session.save_handler = files\nsession.save_path = DIR',
    expected: [FILES('conf.d/90-app.ini:1')],
  },
  'a later ini file, by half': {
    later: 'session.save_handler = files',
    expected: ['nowhere, because conf.d/90-app.ini:1'],
  },
  'a later ini file with another server': {
    later: 'session.save_path = "tcp://127.0.0.1:OTHER?timeout=2"',
    expected: [`tcp://${ELSEWHERE}, because conf.d/90-app.ini:1`],
  },
  'the www.conf of RHEL, Fedora and Remi': { pools: [RHEL], expected: [FILES('fpm.conf:8')] },
  'a path in a pool': {
    pools: ['php_admin_value[session.save_path] = DIR'],
    expected: ['nowhere, because fpm.conf:8'],
  },
  'the same handler in a pool': {
    pools: ['php_admin_value[session.save_handler] = redis'],
    expected: [OURS],
  },
  'two pools': { pools: ['', RHEL], expected: [OURS, FILES('fpm.conf:13')] },
  'a pool that sets it twice: the first line counts': {
    pools: [`${RHEL}\nphp_value[session.save_handler] = redis`],
    expected: [FILES('fpm.conf:8')],
  },
  'php_admin_value before php_value': {
    pools: [`php_value[session.save_handler] = redis\n${RHEL.replaceAll('php_value', 'php_admin_value')}`],
    expected: [FILES('fpm.conf:9')],
  },
  '-d in the command': {
    options: ['-d', 'session.save_handler=files', '-d', 'session.save_path=DIR'],
    expected: [FILES('-d session.save_handler')],
  },
  '-d twice: the last one counts': {
    options: ['-d', 'session.save_handler=files', '-dsession.save_handler=redis'],
    expected: [OURS],
  },
  '-d and a pool that has it as php-sessions': {
    options: ['-d', 'session.save_handler=files'],
    pools: ['php_value[session.save_handler] = redis'],
    expected: [OURS],
  },
  '.user.ini in the web root': {
    app: { 'public/.user.ini': 'session.save_handler = files\nsession.save_path = "DIR"' },
    expected: [FILES('app/public/.user.ini:1')],
  },
  '.user.ini and a pool that fixes it': {
    pools: ['php_admin_value[session.save_handler] = redis'],
    app: { 'public/.user.ini': 'session.save_handler = files' },
    expected: [OURS],
  },
  '.user.ini and php_value of a pool': {
    pools: ['php_value[session.save_handler] = redis'],
    app: { 'public/.user.ini': '; one\nsession.save_handler = files\nsession.save_path = "DIR"' },
    expected: [FILES('app/public/.user.ini:2')],
  },
  '.htaccess, which php-fpm does not read': {
    app: { 'public/.htaccess': 'php_value session.save_handler files\nphp_value session.save_path DIR' },
    expected: [OURS],
  },
  'PHP_VALUE of nginx': {
    param: ['PHP_VALUE', 'session.save_handler=files\\nsession.save_path=DIR'],
    expected: [FILES('app/nginx/conf/site.conf:2')],
  },
  'PHP_ADMIN_VALUE of nginx, and a pool': {
    pools: ['php_admin_value[session.save_handler] = redis'],
    param: ['PHP_ADMIN_VALUE', 'session.save_handler=files \\n session.save_path=DIR'],
    expected: [FILES('app/nginx/conf/site.conf:2')],
  },
  'nothing bound': { isUnbound: true, ini: 'session.save_path = DIR', expected: [OURS] },
  'nothing bound, and php.ini names a server': {
    isUnbound: true,
    ini: 'session.save_handler = redis\nsession.save_path = "tcp://127.0.0.1:OTHER"',
    expected: [`tcp://${ELSEWHERE}, because php.ini:4`],
  },
  'nothing bound, and a php.ini that only php-fpm reads names a server': {
    isUnbound: true,
    fpmIni: 'session.save_handler = redis\nsession.save_path = "tcp://127.0.0.1:OTHER"',
    expected: [`tcp://${ELSEWHERE}, because fpm/php.ini:4`],
  },
  'nothing bound, and a pool names a server': {
    isUnbound: true,
    ini: 'session.save_handler = files\nsession.save_path = DIR',
    pools: [
      'php_value[session.save_handler] = redis\nphp_value[session.save_path] = "tcp://127.0.0.1:OTHER"',
    ],
    expected: [`tcp://${ELSEWHERE}, because fpm.conf:8`],
  },
}

const PAGE = `<?php
try { $ok = @session_start() && @session_write_close(); } catch (Throwable) { $ok = false; }
echo "\\n", $ok ? ini_get('session.save_handler') . ' ' . strtok(ini_get('session.save_path'), '?') : 'nothing';`

/** Places a world, and prepares a start in it. */
async function startIn(
  { php, loadExtensions }: PhpUnderTest,
  world: World,
  ports: { ours: number; other: number },
) {
  const directory = makeScratch('truth')
  const fill = (text: string) => text.replaceAll('DIR', directory).replaceAll('OTHER', String(ports.other))
  const place = (path: string, text: string) => {
    mkdirSync(join(directory, path, '..'), { recursive: true })
    writeFileSync(join(directory, path), fill(text))
  }
  const { pools = [''], options = [], app = {}, param } = world
  place('php.ini', `${loadExtensions('igbinary', 'msgpack', 'redis')}${world.ini ?? ''}\n`)
  if (world.fpmIni !== undefined)
    place('fpm/php.ini', `${loadExtensions('igbinary', 'msgpack', 'redis')}${world.fpmIni}\n`)
  if (world.later !== undefined) place('conf.d/90-app.ini', world.later)
  place('app/public/index.php', PAGE)
  for (const [path, text] of Object.entries(app)) place(`app/${path}`, text)
  if (param !== undefined)
    place('app/nginx/conf/site.conf', `server {\n  fastcgi_param ${param[0]} "${param[1]}";\n}\n`)
  const configuration = (listen: (pool: number) => string) =>
    pools
      .map((lines, i) => `[pool${i}]\nlisten = ${listen(i)}\npm = static\npm.max_children = 1\n${lines}\n`)
      .join('')
  const head = '[global]\nerror_log = DIR/fpm.log\ndaemonize = no\n'
  place('fpm.conf', head + configuration((i) => `DIR/${i}.sock`))

  const services = world.isUnbound
    ? []
    : [{ name: 'redis-sessions', credentials: { host: '127.0.0.1', port: ports.ours, password: CANARY } }]
  const env = {
    ...process.env,
    PHP_INI_SCAN_DIR: join(directory, 'conf.d'),
    VCAP_SERVICES: vcapServices(...services),
  }
  const host = { ...nodeHost, env }
  const output = join(directory, 'conf.d/00-php-sessions.ini')
  const home = machineHome(host, { app: join(directory, 'app'), filesDirectory: directory, output })
  const cli = php.cli(['-c', directory])
  const given = ['-c', world.fpmIni === undefined ? directory : join(directory, 'fpm'), ...options.map(fill)]
  const fpm = php.fpm(given)
  const target = {
    ...home.php,
    start: { command: [cli.file, ...cli.args] as const, env: {} },
    fpm: [fpm.file, ...fpm.args, '-y', join(directory, 'fpm.conf')],
  }
  const run: typeof host.run = (program) => nodeHost.run({ ...program, env: { ...env, ...program.env } })
  const prepared = prepare({ ...home, host: { ...host, run }, php: target })
  mkdirSync(join(directory, 'conf.d'), { recursive: true })
  if (prepared.plan.planned !== undefined) writeFileSync(output, renderIniFile(prepared.plan))

  const isRoot = process.getuid?.() === 0
  const server = await startServer({
    name: 'fpm',
    ports: pools.length,
    command: ({ ports: listening }) => {
      place('run.conf', head + configuration((i) => `127.0.0.1:${listening[i]}`))
      return php.fpm([...given, ...(isRoot ? ['-R'] : []), '-y', join(directory, 'run.conf')], env)
    },
  })
  onTestFinished(server.stop)
  const claims = pools.map((_, i) => claimFor(prepared.kept, i).replaceAll(`${directory}/`, ''))
  return { claims, directory, server, fill }
}

/** What is said about the page of a pool, which is below the web root. */
function claimFor(kept: readonly Kept[], pool: number): string {
  const own =
    kept.find(({ pages }) => pages.startsWith('pages')) ??
    kept.find(({ pages }) => pages === `the pool pool${pool}`) ??
    kept[0]
  if (own?.place === undefined) return OURS
  return `${own.works ? own.place : 'nowhere'}, because ${own.because?.from}`
}

async function visit(
  { param }: World,
  server: ServerProcess,
  script: string,
  pool: number,
  fill: (text: string) => string,
) {
  const params = { DOCUMENT_ROOT: join(script, '..') }
  const port = server.ports[pool] ?? 0
  if (param === undefined) return (await askFpm(port, script, '', params)).split('\n').at(-1) ?? ''
  const nginx = await startNginx({ backends: [port], script, params: { [param[0]]: fill(param[1]) } })
  onTestFinished(nginx.stop)
  return (await (await fetch(`http://127.0.0.1:${nginx.ports[0]}/`)).text()).split('\n').at(-1) ?? ''
}

describe.each(PHPS)('the messages match what php-fpm does, %s', (_name, underTest) => {
  test.each(Object.entries(WORLDS))('%s', async (_what, world) => {
    const redis = await startRedis({ password: CANARY })
    const other = await startRedis({})
    onTestFinished(redis.stop)
    onTestFinished(other.stop)
    const started = await startIn(underTest, world, { ours: redis.port, other: other.port })
    const { claims, directory, server, fill } = started
    expect(claims).toEqual(world.expected.map(fill))
    for (const [i, claim] of claims.entries()) {
      const done = await visit(world, server, join(directory, 'app/public/index.php'), i, fill)
      const ours = world.isUnbound ? `files ${directory}` : `redis tcp://127.0.0.1:${redis.port}`
      const [place = ''] = claim.split(', because')
      const expected =
        place === OURS
          ? ours
          : place === 'nowhere'
            ? 'nothing'
            : place === 'local files'
              ? `files ${directory}`
              : `redis tcp://127.0.0.1:${other.port}`
      expect(done).toBe(expected)
    }
  })
})
