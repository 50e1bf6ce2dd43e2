import { join } from 'node:path'
import { makeScratch } from '../lab/processes/scratch.ts'
import { compareStarts } from './starts.ts'

// What exec adds to the start of a command. With a store bound, most of it is the PHP that lists its extensions.

const EXEC = `${join(import.meta.dirname, '../dist/php-sessions')} exec -- `
const BOUND = { REDIS_URL: 'redis://:p@127.0.0.1:6379' }

const contender = (name: string, command: string, env: Readonly<Record<string, string>> = {}) => ({
  name,
  command,
  starts: 40,
  place: () => ({ env: { PATH: process.env.PATH, ...env }, cwd: makeScratch('bench') }),
})

await compareStarts('start and end of a command', [
  contender('/bin/true', '/bin/true'),
  contender('exec -- /bin/true, nothing bound', `${EXEC}/bin/true`),
  contender('exec -- /bin/true, Redis bound', `${EXEC}/bin/true`, BOUND),
  contender("php -r '', for comparison", "php -r ''"),
])
