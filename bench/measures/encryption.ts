// What it costs a page to encrypt and compress its session: processor time in PHP, and bytes in the store.
// A page reads a session once and writes it once; the key is derived, and the name made, in every request.
import { execFileSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import type { InstalledPhp } from '../../lab/php/installed.ts'
import { makeScratch } from '../../lab/processes/scratch.ts'
import { type Benchmark, type Cell, countSteps, type Table } from '../benchmark.ts'
import { shorten } from '../parts/medians.ts'

const SIZES = [1, 10, 100]
const KEY = '8f3a1c5e7b90d2461fa8c3e5b7d90214f6a8c0e2b4d6f8091a2b3c4d5e6f7081'

/** A session such as apps have: a user and a cart, of which about a third is random. */
const CODE = `
[, $kilobytes, $key, $method] = $argv;
mt_srand(7);
$session = ['user' => ['id' => 4711, 'name' => 'Ada Lovelace', 'roles' => ['editor', 'author']], 'cart' => []];
while (strlen($data = 'app|' . serialize($session)) < $kilobytes * 1024) {
    $session['cart'][] = ['sku' => bin2hex(pack('V3', mt_rand(), mt_rand(), mt_rand())),
        'title' => 'An article of the shop', 'count' => mt_rand(1, 9), 'price' => mt_rand(100, 99999) / 100];
}
$id = 'v2q0f6o7k1m3n5p7r9t1v3x5z7';
$page = function () use ($data, $id, $key, $method): int {
    static $bytes = null;
    $sealing = $key === '' ? null : new SealingKey($key);
    $name = $sealing?->nameFor($id) ?? $id;
    $bytes ??= Envelope::close($data, $sealing, $name, $method ?: null);
    Envelope::open($bytes, $sealing, $name) === $data or exit(1);
    return strlen($bytes = Envelope::close($data, $sealing, $name, $method ?: null));
};
$used = function (): float {
    $usage = getrusage();
    return ($usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec']) * 1e6 + $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'];
};
$pages = (int) (20000 / (3 + $kilobytes));
for ($i = 0; $i < 50; $i++) $page();
$start = $used();
for ($i = 0; $i < $pages; $i++) $bytes = $page();
echo json_encode([($used() - $start) / $pages, $bytes]);
`

export const encryption =
  (findPhp: () => InstalledPhp, methods: readonly string[]): Benchmark =>
  async (run) => {
    const php = findPhp()
    const rounds = run.pick(3, 7)
    const ways = methods.flatMap((method) => ['', KEY].map((key) => ({ method, key })))
    const step = countSteps(run, ways.length * SIZES.length)
    const directory = makeScratch('encryption')
    const code = `namespace PhpSessions; require '${writeHandler(directory)}';${CODE}`
    const tables: Record<string, Table> = {}
    for (const size of SIZES) {
      const rows: Record<string, Record<string, Cell>> = {}
      for (const { method, key } of ways) {
        const measured = Array.from({ length: rounds }, () => measure(php, code, size, key, method))
        rows[[key === '' ? '' : 'encrypted', method].filter(Boolean).join(', ') || 'as it is'] = {
          'µs/page': measured.map(([time]) => shorten(time)),
          bytes: [measured[0]?.[1] ?? 0],
        }
        step()
      }
      tables[`${size} KB`] = rows
    }
    return {
      versions: { php: php.name },
      conditions: [
        'processor time of a page that reads its session and writes it; the key is derived and the name made anew',
        'the session is that of a shop, a third of it random',
      ],
      tables,
    }
  }

/** The file of the handler, as it is written where a key is set. What installs it does nothing without settings. */
function writeHandler(directory: string): string {
  execFileSync(resolve('dist/php-sessions'), ['ini', '--output', join(directory, 'sessions.ini')], {
    cwd: directory,
    env: { ...process.env, REDIS_URL: 'redis://127.0.0.1:6379', PHP_SESSIONS_HANDLER: 'managed' },
    stdio: ['ignore', 'ignore', 'ignore'],
  })
  return join(directory, 'php-sessions-handler.php')
}

const extensions = ['igbinary', 'msgpack', 'redis'].flatMap((name) => ['-d', `extension=${name}`])

function measure(
  php: InstalledPhp,
  code: string,
  size: number,
  key: string,
  method: string,
): readonly [time: number, bytes: number] {
  const { file, args, env } = php.cli(
    ['-n', ...extensions, '-d', 'session.save_handler=files', '-r', code, '--', String(size), key, method],
    process.env,
  )
  return JSON.parse(execFileSync(file, args, { env, encoding: 'utf8' })) as [number, number]
}
