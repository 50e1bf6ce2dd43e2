import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Fills a directory with everything that a search may meet, and returns it. */
export function makeTree(directory: string): string {
  const write = (path: string, text: string) => writeFileSync(join(directory, path), text)
  mkdirSync(join(directory, 'a/b'), { recursive: true })
  write('.user.ini', 'memory_limit = 1G\n')
  write('.htaccess', 'PHP_VALUE session.name X\n')
  write('a/.user.ini', 'session.save_handler = files\n')
  write('a/x.php', '<?php // x\n')
  write('a/b/c.php', '<?php // c\n')
  write('large', `${'x'.repeat((1 << 16) - 4)}php_value`)
  symlinkSync('a/b', join(directory, 'link'))
  symlinkSync('../..', join(directory, 'a/b/circle'))
  symlinkSync('a/x.php', join(directory, 'linked.php'))
  symlinkSync('nowhere', join(directory, 'dangling'))
  execFileSync('mkfifo', [join(directory, 'fifo')])
  return directory
}

/** Fills a directory with bindings of every layout, and with everything that may be wrong with one. */
export function makeBindings(root: string): string {
  const write = (path: string, text: string | Buffer) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  for (const name of ['app-redis-sessions', 'fifo', 'huge', 'much', 'sap', 'latin1'])
    write(`${name}/type`, 'redis\n')
  write('app-redis-sessions/..2026/host', 'ünï.example\r\n')
  symlinkSync('..2026', join(root, 'app-redis-sessions/..data'))
  symlinkSync('..data/host', join(root, 'app-redis-sessions/host'))
  write('app-redis-sessions/cacrt', 'x'.repeat(5000))
  execFileSync('mkfifo', [join(root, 'fifo/host')])
  write('huge/host', 'x'.repeat((4 << 20) + 1))
  // Together more than a binding may have, in bytes that are not UTF-8.
  for (const name of ['a', 'b', 'c']) write(`much/${name}`, Buffer.alloc(600 << 10, 0xff))
  write('latin1/host', Buffer.from('\xfcn\xc3', 'latin1'))
  write('sap/.metadata', '{"credentialProperties":[{"name":"all","container":true}]}')
  write('sap/all', '{"host":"h"}')
  write('old/metadata/kind', 'redis')
  write('old/secret/host', 'h')
  write('untyped/host', 'h')
  write('a-file', '')
  symlinkSync('loop', join(root, 'loop'))
  symlinkSync('nowhere', join(root, 'dangling'))
  return root
}
