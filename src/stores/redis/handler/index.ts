import connect from './connect.php'
import connection from './connection.php'
import handler from './handler.php'
import head from './head.php'
import install from './install.php'
import release from './release.lua'
import serverMap from './server-map.php'
import store from './store.php'
import symfony from './symfony.php'
import take from './take.lua'
import tls from './tls.php'

const SCRIPTS: Readonly<Record<string, string>> = { 'take.lua': take, 'release.lua': release }

/** The managed handler as it ships: one PHP file, joined from those in this folder. */
export const handlerText = [
  head,
  ...[tls, connect, connection, serverMap, store, handler, install, symfony].map(withoutHead),
]
  .join('\n')
  // A line that is the name of a script stands for the script.
  .replace(/^( *)([a-z]+\.lua)$/gm, (_, indent: string, name: string) =>
    (SCRIPTS[name] ?? '').trimEnd().replace(/^/gm, indent),
  )

/** A PHP file without its first lines, to be joined to others. */
export function withoutHead(file: string): string {
  return file.replace(/^<\?php\n\n?(namespace PhpSessions;\n\n)?/, '')
}
