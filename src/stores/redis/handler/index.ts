import connection from './connection.php'
import handler from './handler.php'
import head from './head.php'
import install from './install.php'
import release from './release.lua'
import store from './store.php'
import symfony from './symfony.php'
import take from './take.lua'

const SCRIPTS: Readonly<Record<string, string>> = { take, release }

/** The PHP of the managed handler in one file, as it ships. */
export const handlerText = [head, ...[connection, store, handler, install, symfony].map(bodyOf)]
  .join('\n')
  .replace(/^( *)([a-z]+)\.lua$/gm, (_, indent: string, name: string) =>
    indentLua(SCRIPTS[name] ?? '', indent),
  )

/** A part without what stands at the top of the file already. */
function bodyOf(part: string): string {
  return part.replace('<?php\n\n', '').replace('namespace PhpSessions;\n\n', '')
}

function indentLua(script: string, indent: string): string {
  return script.trimEnd().replace(/^/gm, indent)
}
