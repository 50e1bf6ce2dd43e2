import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

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
