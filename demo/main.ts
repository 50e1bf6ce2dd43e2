import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { labLifecycle } from '../lab/cloudfoundry/lifecycle-lab.ts'
import { makeScratch, removeScratch } from '../lab/processes/scratch.ts'
import { startRedis } from '../lab/redis/server.ts'
import { startMemcached } from '../lab/servers/memcached.ts'
import { hasPhp, verdictOn } from './own-pages.ts'
import { playScene, type Scene, type SceneResult } from './scene.ts'

const SAMPLE_APP = join(import.meta.dirname, 'app')
/** The page of the sample app, as it is added to a user's app: under a name that nothing else has. */
const PAGE = 'php-sessions-demo.php'
const LOOK = 'php-sessions-demo-look.php'
/** With all characters that break ini files and URLs unless they are quoted. */
const PASSWORD = `p,w +%&'"\${HOME};x`

const CHECK_MARKS = { true: 'yes', false: 'NO' } as const

async function demo(argument: string | undefined): Promise<number> {
  const app = resolve(argument ?? SAMPLE_APP)
  if (!existsSync(app)) {
    process.stderr.write(`there is no directory ${app}: expected a folder with a PHP app\n`)
    return 2
  }
  if (!hasPhp(app)) {
    process.stderr.write(`there is no page of PHP in ${app}: expected a folder with a PHP app\n`)
    return 2
  }
  const copy = makeScratch('app')
  cpSync(app, copy, { recursive: true, verbatimSymlinks: true })
  const isOwn = argument !== undefined
  const paths = isOwn ? addPages(copy) : { path: '/', lookPath: undefined }
  const results: SceneResult[] = []
  try {
    for (const [i, makeScene] of SCENES.entries()) {
      const { scene, stop } = await makeScene()
      say(`\n${i + 1} of ${SCENES.length}: ${scene.title}`)
      try {
        if (isOwn) say(`php-sessions explain says of this app:\n${indent(verdictOn(app, scene.services))}`)
        results.push(await playScene(scene, { app: copy, ...paths, lifecycle: labLifecycle, say }))
      } finally {
        await stop()
      }
    }
  } catch (error) {
    process.stderr.write(`\nthe demo stopped: ${(error as Error).message}\n`)
    return 1
  } finally {
    removeScratch(copy)
  }
  say(`\n${renderTable(results)}`)
  const kept = results.every(({ isAsPromised }) => isAsPromised)
  say(kept ? 'Everything was as promised.' : 'Not everything was as promised: see the last column.')
  if (isOwn && results.every(({ ownSession }) => ownSession === undefined))
    say(
      "That is true of PHP's sessions in this app, and was not seen of the app's own: it made none on these pages.",
    )
  return kept ? 0 : 1
}

const SCENES: readonly (() => Promise<{ scene: Scene; stop: () => Promise<void> }>)[] = [
  async () => ({
    scene: { title: 'nothing bound', services: {}, survives: false },
    stop: async () => {},
  }),
  async () => {
    const server = await startRedis({ password: PASSWORD })
    const credentials = { host: server.host, port: server.port, password: PASSWORD }
    const services = { 'p.redis': [{ name: 'app-redis-sessions', tags: ['redis'], credentials }] }
    return { scene: { title: 'app-redis-sessions bound', services, survives: true }, stop: server.stop }
  },
  async () => {
    const server = await startMemcached()
    const credentials = { servers: `${server.host}:${server.port}` }
    const services = { memcached: [{ name: 'app-memcached-sessions', tags: [], credentials }] }
    return { scene: { title: 'app-memcached-sessions bound', services, survives: true }, stop: server.stop }
  },
]

/** Adds the pages of the demo to an app, in its web directory; gives their paths. */
function addPages(app: string): { readonly path: string; readonly lookPath: string } {
  const options = join(app, '.bp-config/options.json')
  const webdir = existsSync(options)
    ? (JSON.parse(readFileSync(options, 'utf8')).WEBDIR ?? 'htdocs')
    : 'htdocs'
  // php_buildpack makes an app without a web directory the web directory.
  const directory = existsSync(join(app, webdir)) ? join(app, webdir) : app
  cpSync(join(SAMPLE_APP, 'index.php'), join(directory, PAGE))
  cpSync(join(SAMPLE_APP, '../look.php'), join(directory, LOOK))
  return { path: `/${PAGE}`, lookPath: `/${LOOK}` }
}

function renderTable(results: readonly SceneResult[]): string {
  const rows = [
    [
      'bound',
      'handler',
      'instances that served',
      'session there',
      'after a crash',
      "the app's own",
      'as promised',
    ],
    ...results.map((result) => [
      result.title,
      result.handler,
      result.servedBy.join(', '),
      CHECK_MARKS[`${result.isThere}`],
      CHECK_MARKS[`${result.hasSurvived}`],
      result.ownSession ?? '-',
      CHECK_MARKS[`${result.isAsPromised}`],
    ]),
  ]
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function indent(text: string): string {
  return text.replace(/^/gm, '  | ')
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

process.exitCode = await demo(process.argv[2])
