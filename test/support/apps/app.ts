import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { makeApp } from '../../../lab/app.ts'
import type { NginxOptions } from '../../../lab/web/nginx.ts'
import type { Browser, Page } from './browser.ts'
import type { Unpacked } from './unpacked.ts'

/** The address of the server that has executed `STATEMENTS`. */
export interface Database {
  readonly host: string
  readonly port: number
}

/** An application that people log in to, and what they do in it. */
export interface App {
  readonly name: string
  /** The name of its session cookie. */
  readonly cookie: string
  /** Whether its own handler wraps the one that PHP is configured with: then the managed handler gets no session. */
  readonly isBypassing?: boolean
  /** Whether a login leaves the session its id. */
  readonly keepsId?: boolean
  /** What the app needs in the database. */
  statements?(unpacked: Unpacked): readonly string[]
  /** Prepares the app; gives its entry. */
  make(unpacked: Unpacked, database: Database): Omit<NginxOptions, 'backends'>
  /** Logs in by the app's form. */
  login(browser: Browser, database: Database): Promise<Page>
  /** The path of a page for users who are logged in. */
  page(database: Database): string
  /** Does some work that needs the session; gives the page with the result. */
  work(browser: Browser, database: Database): Promise<Page>
  readonly result: RegExp
  logout(browser: Browser, database: Database): Promise<Page>
  /** What only the page with the login form contains. */
  readonly outside: RegExp
  /** Requests that each leave something of their own in the session, and the page that shows it afterwards. */
  readonly remembers?: readonly Remembered[]
}

export interface Remembered {
  readonly request: string
  readonly page: string
  readonly shows: RegExp
}

/** What keeps the sessions of an app. */
export type Handler = 'managed' | 'native' | 'files'

export const USER = 'app'
export const PASSWORD = 'secret'

/** Makes an app with a folder that php-fpm may write to; gives the directory of the app. */
export function makeWith(folder: string, files: Readonly<Record<string, string>>): string {
  const app = makeApp(files)
  chmodSync(app, 0o755)
  mkdirSync(join(app, folder))
  chmodSync(join(app, folder), 0o777)
  return app
}

/** Makes every script below a folder an entry, with the rest of the path in PATH_INFO. */
export const scriptsBelow = (root: string): Omit<NginxOptions, 'backends'> => ({
  script: join(root, 'index.php'),
  params: {
    SCRIPT_FILENAME: `${root}$fastcgi_script_name`,
    SCRIPT_NAME: '$fastcgi_script_name',
    PATH_INFO: '$fastcgi_path_info',
  },
})
