import connection from './connection.php'
import handler from './handler.php'
import head from './head.php'
import install from './install.php'
import page from './page.php'
import release from './release.lua'
import resp from './resp.php'
import scripts from './scripts.php'
import serverMap from './server-map.php'
import serverName from './server-name.php'
import store from './store.php'
import symfony from './symfony.php'
import take from './take.lua'
import tls from './tls.php'
import transport from './transport.php'

const SCRIPTS: Readonly<Record<string, string>> = { 'take.lua': take, 'release.lua': release }

/** The managed handler as it ships: one PHP file, joined from those in this folder. */
export const handlerText = [
  head,
  ...[
    tls,
    serverName,
    transport,
    resp,
    connection,
    serverMap,
    scripts,
    store,
    page,
    handler,
    install,
    symfony,
  ].map(withoutHead),
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
