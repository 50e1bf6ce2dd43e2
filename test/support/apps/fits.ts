import { chmodSync } from 'node:fs'
import { makeApp } from '../../../lab/app.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import type { App, Database } from './app.ts'
import { makeBrowser } from './browser.ts'
import type { Unpacked } from './unpacked.ts'
import { startAppWeb } from './web.ts'

/** Without a service; all instances have the same directory for the sessions. */
export function inFiles({ env }: Unpacked): Unpacked['env'] {
  const directory = makeScratch('sessions')
  chmodSync(directory, 0o777)
  const ini = `session.name = PHPSESSIONID\nsession.save_path = "${directory}"\n`
  return { PHP_INI_SCAN_DIR: `${env.PHP_INI_SCAN_DIR}:${makeApp({ 'sessions.ini': ini })}` }
}

/**
 * What PHP, php-sessions and nginx complain about in their logs. The pools of these tests have no time limit, and on a busy
 * machine a request waits longer for those in front of it.
 */
export const complaints = (log: string) =>
  log
    .split('\n')
    .filter((line) => !line.includes('(php.hanging)') && !line.includes('php-sessions: a request waited '))
    .filter((line) => /PHP message|php-sessions: (?!sessions are kept in)|\[(error|crit|alert)\]/.test(line))

const known = new Map<App, Promise<string | undefined>>()

/**
 * Why an app cannot be tested: PHP complains of a file of its package already on the page for people who have not logged in.
 * The page is asked for once, with sessions in files.
 */
export function whyUnfit(app: App, unpacked: Unpacked, database: Database): Promise<string | undefined> {
  const why = known.get(app) ?? visit(app, unpacked, database)
  known.set(app, why)
  return why
}

async function visit(app: App, unpacked: Unpacked, database: Database): Promise<string | undefined> {
  const web = await startAppWeb({ ...unpacked.env, ...inFiles(unpacked) }, app.make(unpacked, database))
  await makeBrowser(web.url).get(app.page(database))
  await web.stop()
  const { phpmyadmin, adminer, simplesamlphp, dokuwiki, cacti } = unpacked
  const isOfPackage = (line: string) =>
    [phpmyadmin, adminer, simplesamlphp, dokuwiki, cacti].some((folder) => line.includes(` in ${folder}/`))
  const complaint = complaints(web.log()).find(isOfPackage)
  if (complaint === undefined) return undefined
  const said = /PHP [A-Z][a-z]+(?: error)?: .*?(?= in \/)/.exec(complaint)?.[0] ?? complaint
  return `the ${app.name} of this distribution does not fit its PHP: ${said}`
}
