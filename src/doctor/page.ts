import type { Setting } from '../php/answers.ts'
import { describeSavePath } from '../php/save-path.ts'
import { findPageSettings } from '../php/web/page-settings.ts'
import { type Web, webOf } from '../php/web/web.ts'
import type { Context } from './check.ts'

const pages = new WeakMap<Context, Web>()

/**
 * The settings that a page of the app gets: those of PHP, and over them what the app's `.user.ini` sets, or `.htaccess`
 * where php-fpm does not serve it. Only `php_admin_value` of a pool is stronger.
 */
export function pageOf(context: Context): Web {
  const known = pages.get(context) ?? makePage(context)
  pages.set(context, known)
  return known
}

function makePage(context: Context): Web {
  const { ask, host, appDirectory, plan } = context
  const web = webOf(ask('settings'))
  // Apps have a file for each server: Apache's module reads one, php-fpm the other.
  const served = web.isFpm ? 'fpm' : web.isApache ? 'other' : 'unknown'
  const lines = findPageSettings(host, appDirectory, Object.keys(web.settings), served)
  const ofApp = lines.map(({ name, value, from }): Web['pools'][number] => {
    const expected = plan.directives.find((directive) => directive.name === name)?.value
    const isExpected = expected === undefined || normal(String(expected)) === normal(value)
    return { name, isExpected, value: shownValue(name, value), from }
  })
  const isFixed = ({ from }: Setting) => / php_admin_(value|flag) /.test(from ?? '')
  const weaker = web.pools.filter((setting) => !isFixed(setting))
  // The last line counts, and of the app's files those of the web root come first.
  return { ...web, pools: [...weaker, ...ofApp.toReversed(), ...web.pools.filter(isFixed)] }
}

/** A save_path may have a password. */
function shownValue(name: string, value: string): string | null {
  if (name.endsWith('password')) return null
  if (name !== 'session.save_path') return normal(value)
  return value === '' ? normal(value) : describeSavePath(value)
}

/** One form for a value, as in PHP's answers. */
function normal(value: string): string {
  if (/^(on|yes|true)$/i.test(value)) return '1'
  return /^(off|no|false|none|)$/i.test(value) ? '0' : value
}
