import { isDeepStrictEqual } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import { configureManaged } from '../../support/php/managed.ts'
import { PHPS_AND_STORES } from '../../support/php/managed-stores.ts'
import type { PhpUnderTest } from '../../support/php/php.ts'
import { filesIni, trivialIni } from '../../support/php/suites/trivial-handler.ts'
import { startPhpWeb } from '../../support/php/web.ts'

/** What an app's page does, beginning with a session of the visitor that holds `n`. */
const LATE: Readonly<Record<string, string>> = {
  'a destructor of a global object': `session_start(); $late = new Late(fn () => $_SESSION['late'] = 1);`,
  'a destructor of an object in the session': `session_start(); $_SESSION['n'] = 2; $GLOBALS['keep'] = new Late(fn () => $_SESSION['late'] = session_status());`,
  'an output callback': `session_start(); ob_start(function ($page) { $_SESSION['late'] = 1; return $page; });`,
  'a nested shutdown function': `session_start();
    register_shutdown_function(fn () => register_shutdown_function(function () {
      register_shutdown_function(function () { $_SESSION['late'] = 1; });
    }));`,
  header_register_callback: `header_register_callback(function () { $_SESSION['late'] = 1; }); session_start();`,
  'all of them': `session_start(); $late = new Late(fn () => $_SESSION['late'][] = 'destructor');
    ob_start(function ($page) { $_SESSION['late'][] = 'output'; return $page; });
    header_register_callback(function () { $_SESSION['late'][] = 'header'; });
    register_shutdown_function(function () { $_SESSION['late'][] = 'shutdown'; });`,
  'a shutdown function, before exit in another': `session_start();
    register_shutdown_function(function () { $_SESSION['late'] = 1; exit; });
    register_shutdown_function(function () { $_SESSION['never'] = 1; });`,
  'a shutdown function that starts the session': `register_shutdown_function(function () { session_start(); $_SESSION['late'] = 1; });`,
  'a destructor that starts the session': `$late = new Late(function () { session_start(); $_SESSION['late'] = 1; });`,
  'a destructor that closes the session': `session_start(); $late = new Late(function () { $_SESSION['late'] = 1; session_write_close(); });`,
  'a destructor that destroys the session': `session_start(); $_SESSION['n'] = 2; $late = new Late(fn () => session_destroy());`,
  'a destructor that resets the session': `session_start(); $late = new Late(function () { session_reset(); $_SESSION['late'] = 1; });`,
  'a destructor that regenerates the id': `session_start(); $late = new Late(function () { session_regenerate_id(); $_SESSION['late'] = 1; });`,
  'a destructor that regenerates and deletes': `session_start(); $late = new Late(function () { session_regenerate_id(true); $_SESSION['late'] = 1; });`,
  'a destructor that takes everything back': `session_start(); $old = $_SESSION; $_SESSION['x'] = 1; $late = new Late(function () use ($old) { $_SESSION = $old; });`,
  'a destructor, with nothing else changed': `session_start(['lazy_write' => 0]); $late = new Late(fn () => $_SESSION['late'] = 1);`,
  'a fatal error, and a shutdown function': `session_start(); register_shutdown_function(function () { $_SESSION['late'] = 1; }); no_such();`,
}

const UNSERIALIZABLE: Readonly<Record<string, string>> = {
  'a closure': `session_start(); $_SESSION['t'] = function () {};`,
  '__serialize throws': `session_start(); $_SESSION['t'] = new Boom;`,
  'a class of PHP': `session_start(); $_SESSION['t'] = new SplFileInfo('/');`,
  'closed, and caught': `session_start(); $_SESSION['t'] = new Boom;
    try { session_write_close(); } catch (Throwable $e) { echo 'caught'; } unset($_SESSION['t']);`,
  'closed, caught, and started again': `session_start(); $_SESSION['t'] = new Boom;
    try { session_write_close(); } catch (Throwable $e) { echo 'caught'; } session_start(); $_SESSION['again'] = 1;`,
  'regenerated, and caught': `session_start(); $_SESSION['t'] = new Boom;
    try { session_regenerate_id(); } catch (Throwable $e) { echo 'caught'; } unset($_SESSION['t']);`,
  'regenerated and deleted': `session_start(); $_SESSION['t'] = new Boom; session_regenerate_id(true);`,
  'closed in a shutdown function': `session_start(); $_SESSION['t'] = new Boom; register_shutdown_function('session_write_close');`,
  'made whole by a destructor': `session_start(); $_SESSION['t'] = new Boom; $_SESSION['n'] = 2; $late = new Late(function () { unset($_SESSION['t']); });`,
  'no array': `session_start(); $_SESSION = null;`,
  'taken away': `session_start(); $_SESSION['n'] = 2; unset($_SESSION);`,
  'a number as a key': `session_start(); $_SESSION[7] = 1; $_SESSION['n'] = 2;`,
  'a number as the only key': `session_start(); $_SESSION = [7 => 1];`,
  empty: `session_start(); $_SESSION = [];`,
}

/** An app that keeps sessions itself, in the way of Drupal 7, Zend Framework 1 and Magento 1, and says what it was asked. */
const OWN = `$GLOBALS['calls'] = []; $file = fn ($id) => DIRECTORY . "/own-$id";
  $say = function ($what, $result) { $GLOBALS['calls'][] = $what; return $result; };
  $own = [
    fn () => $say('open', true), fn () => $say('close', true),
    fn ($id) => $say('read', (string) @file_get_contents($file($id))),
    fn ($id, $data) => $say('write', file_put_contents($file($id), $data) !== false),
    fn ($id) => $say('destroy', @unlink($file($id)) || true), fn () => $say('gc', 0),
  ];
  register_shutdown_function(function () { session_write_close(); echo implode(' ', array_diff($GLOBALS['calls'], ['gc'])); });`
const HANDLERS: Readonly<Record<string, string>> = {
  'six functions': `${OWN} session_set_save_handler(...$own); session_start(); $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1;`,
  'six functions, nothing changed': `${OWN} session_set_save_handler(...$own); session_start();`,
  'six functions, another id': `${OWN} session_set_save_handler(...$own); session_start(); session_regenerate_id(); $_SESSION['n'] = 7;`,
  'six functions, destroyed': `${OWN} session_set_save_handler(...$own); session_start(); session_destroy();`,
  'six functions after a session': `session_start(); session_write_close(); ${OWN} session_set_save_handler(...$own); session_start(); $_SESSION['n'] = 8;`,
}

const PAGE = (directory: string, cases: Readonly<Record<string, string>>) => `<?php
ini_set('display_errors', '1'); ini_set('html_errors', '0');
const DIRECTORY = '${directory}';
class Late { function __construct(private Closure $what) {} function __destruct() { ($this->what)(); } }
class Boom { function __serialize(): array { throw new RuntimeException('it cannot be serialized'); } }
switch ($_GET['case'] ?? '') {
  case '': session_start(); $_SESSION['n'] = 1; break;
  case 'show': session_start(); echo json_encode($_SESSION); break;
${Object.entries(cases)
  .map(([name, code]) => `  case '${name}': ${code} break;`)
  .join('\n')}
}
echo ' served';`

interface Seen {
  readonly status: number
  readonly cookies: number
  readonly text: string
}

interface Told {
  readonly page: Seen
  /** The same page once more, of a handler of the app. */
  readonly again: Seen | undefined
  readonly show: Seen
  readonly locks: readonly string[]
}

/** Asks for each case with a session of its own; gives what the visitor saw, and what the session holds afterwards. */
async function tell(
  underTest: PhpUnderTest,
  ini: string,
  cases: Readonly<Record<string, string>>,
  look = async (): Promise<readonly string[]> => [],
): Promise<Readonly<Record<string, Told>>> {
  const web = await startPhpWeb(underTest, ini, PAGE(makeScratch('own'), cases), 1)
  onTestFinished(web.stop)
  const told: Record<string, Told> = {}
  for (const name of Object.keys(cases)) {
    let cookie = ''
    const ask = async (query: string) => {
      const response = await fetch(`${web.url}?case=${encodeURIComponent(query)}`, { headers: { cookie } })
      const cookies = response.headers.getSetCookie()
      cookie = cookies.at(-1)?.split(';')[0] ?? cookie
      const text = (await response.text())
        .replaceAll(/\/\S*\/index\.php/g, 'index.php')
        .replaceAll(/path: [^),]+/g, 'path: …')
      return { status: response.status, cookies: cookies.length, text }
    }
    // Only the app has the session that its own handler keeps.
    if (!name.startsWith('six')) await ask('')
    const page = await ask(name)
    const locks = await look()
    told[name] = {
      page,
      again: name.startsWith('six') ? await ask(name) : undefined,
      show: await ask('show'),
      locks,
    }
  }
  return told
}

const MODES = [1, 0].map((lazy) => `session.lazy_write=${lazy}`)
const REGENERATED = 'regenerated, and caught'
const DIFFERENT = [
  'closed, and caught',
  'closed, caught, and started again',
  REGENERATED,
  'closed in a shutdown function',
]

const QUIET = `log_errors=0\nsession.name=PHPSESSIONID\nsession.use_strict_mode=1\noutput_buffering=4096\n`

describe.each(PHPS_AND_STORES)('%s', (_name, underTest, start) => {
  /** What files, or another handler, and managed tell of the cases, with these settings. */
  async function compare(cases: Readonly<Record<string, string>>, mode: string, handler = filesIni()) {
    const store = await start()
    const other = `${handler}${QUIET}${mode}`
    const managed = `${configureManaged(underTest, store.service)}${QUIET}${mode}`
    return {
      expected: await tell(underTest, other, cases),
      got: await tell(underTest, managed, cases, store.locks),
    }
  }

  test.each(MODES)(
    'what is changed after the shutdown functions is kept, as with files: %s',
    async (mode) => {
      const { expected, got } = await compare(LATE, mode)
      expect(got).toEqual(expected)
    },
  )

  test.each(MODES)('a handler of the app acts alone, as with files: %s', async (mode) => {
    const { expected, got } = await compare(HANDLERS, mode)
    expect(got).toEqual(expected)
  })

  test.each(MODES)('a session that cannot be serialized leaves no lock: %s', async (mode) => {
    const { expected, got } = await compare(UNSERIALIZABLE, mode)
    const differing = Object.keys(UNSERIALIZABLE).filter(
      (name) => !isDeepStrictEqual(got[name], expected[name]),
    )
    expect(Object.values(got).flatMap(({ locks }) => locks)).toEqual([])
    // With files such a session is cut in the middle, and destroyed when it is read: this handler keeps what there was.
    expect(differing).toEqual(DIFFERENT)
    expect(differing.map((name) => got[name]?.show.text)).toEqual([
      '{"n":1} served',
      '{"n":1,"again":1} served',
      '{"n":1} served',
      '{"n":1} served',
    ])
  })

  test.each(MODES)(
    'PHP adds a warning to an exception in session_regenerate_id(), as with every handler in PHP: %s',
    async (mode) => {
      const regenerated = { [REGENERATED]: UNSERIALIZABLE[REGENERATED] ?? '' }
      const { expected, got } = await compare(regenerated, mode, trivialIni())
      expect(got[REGENERATED]?.page).toEqual(expected[REGENERATED]?.page)
      expect(got[REGENERATED]?.page.text).toMatch(
        /^\nWarning: session_regenerate_id\(\): Session write failed\. .*\ncaught served$/,
      )
    },
  )
})
