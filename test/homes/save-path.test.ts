import { expect, test } from 'vitest'
import { describeSavePath } from '../../src/php/save-path.ts'

test.each([
  ['/var/lib/php/sessions', '/var/lib/php/sessions'],
  ['2;0700;/var/lib/php', '2;0700;/var/lib/php'],
  ['tcp://10.0.0.1:6379', 'tcp://10.0.0.1:6379'],
  ['tcp://a:1?auth=x, tcp://b:2?auth=y', 'tcp://a:1'],
  ['tcp://a:1, tcp://b:2?auth=y', 'tcp://a:1, tcp://b:2'],
  ['a:11211:2,b:11211:1', 'a:11211:2,b:11211:1'],
  ['tcp://[::1]:6379?auth=x', 'tcp://[::1]:6379'],
  ['unix:///run/redis.sock?auth=x', 'unix:///run/redis.sock'],
  ['/run/redis.sock?auth=x', '/run/redis.sock'],
  ['seed[]=a:1&seed[]=b:2&auth=x', 'a:1, b:2'],
  ['tcp://user:secret@a:1', 'a:1'],
  ['tcp://user:sec,secret@a:1', 'a:1'],
  ['tcp://user:sec?secret@a:1', 'a server'],
  ['tcp://a:1?auth=sec,secret x', 'tcp://a:1'],
  ['tcp://a:1?auth=sec@secret,b:2', 'tcp://a:1'],
  ['PERSISTENT=app a:11211', 'PERSISTENT=app a:11211'],
  ['', 'its default place'],
])('a save_path is shown without anything that may be a password: %s', (path, shown) => {
  expect(describeSavePath(path)).toBe(shown)
  expect(describeSavePath(path)).not.toContain('sec')
})
