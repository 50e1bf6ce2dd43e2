import type { PhpStart } from '../ask.ts'
import { directoriesOf, type Web } from './web.ts'

/** Starts PHP on the command line with the ini files that the PHP which serves the app reads. */
export function startAsWeb(php: PhpStart, web: Web): PhpStart {
  if (!web.isFpm) return php
  const main = web.loaded ?? web.path ?? '/nowhere'
  return {
    command: [...php.command, '-c', main],
    env: { PHP_INI_SCAN_DIR: [...new Set(directoriesOf(web))].join(':') },
  }
}
