import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CANARY, redisService, vcapServices } from '../../lab/bindings.ts'
import { makeScratch } from '../../lab/processes/scratch.ts'
import { main } from '../../src/cli/main.ts'
import { nodeHost } from '../../src/host/node.ts'
import { readPools } from '../../src/php/web/pools.ts'
import { PHPS, type PhpUnderTest } from '../support/php/php.ts'

const POOL = 'user = nobody\nlisten = DIR/$pool.sock\npm = static\npm.max_children = 1\n'

/** What the files of a configuration say, by name; `DIR` is their directory. */
const CONFIGURATIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'one file': { 'main.conf': `[www]\n${POOL}php_value[session.save_path] = /a\n` },
  'files in a directory, in their order': {
    'main.conf': '[global]\ninclude = DIR/pool.d/*.conf\n',
    'pool.d/b.conf': `[b]\n${POOL}php_admin_value[session.save_path] = /b\n`,
    'pool.d/a.conf': `[a]\n${POOL}php_value[session.save_path] = /a\n`,
    'pool.d/.hidden.conf': `[hidden]\n${POOL}`,
    'pool.d/c.conf.bak': `[c]\n${POOL}`,
  },
  'a file that belongs to the section before it, and a file in a file': {
    'main.conf': `[www]\n${POOL}include = DIR/one.conf\n`,
    'one.conf': 'php_flag[session.auto_start] = on\ninclude="DIR/t?o.conf"\n',
    'two.conf': 'php_value[session.name] = two\n',
  },
  'every form of a value': {
    'main.conf': `[www]\n${POOL}
      php_value[session.save_path] = "/a;b" ; comment
      php_value[session.name]='x\${HOME}'
      php_admin_value[session.cookie_path]=/\${POOLS_TEST}/$pool
      ; php_value[session.save_handler] = no
      php_value[session.cookie_domain] = two words
      php_admin_value[memory_limit] = 32M;none\n`,
  },
  'a section that comes twice': {
    'main.conf': `[www]\n${POOL}[x]\n${POOL}[www]\nphp_value[session.name] = n\n`,
  },
}

function place(files: Readonly<Record<string, string>>): string {
  const directory = makeScratch('pools')
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(directory, path, '..'), { recursive: true })
    // Both texts may have a section [global].
    const log = /(main|php-fpm)\.conf$/.test(path) ? '[global]\nerror_log = DIR/fpm.log\n' : ''
    writeFileSync(join(directory, path), (log + text).replaceAll('DIR', directory))
  }
  return directory
}

/** What php-fpm itself prints of its pools' settings for PHP. */
function toldBy({ php }: PhpUnderTest, configuration: string): readonly string[] {
  const { file, args, env } = php.fpm(['-y', configuration, '-tt'], { ...process.env, POOLS_TEST: 'var' })
  execFileSync(file, args, { env, stdio: 'ignore' })
  const told = readFileSync(join(configuration, '../fpm.log'), 'utf8')
  let pool = ''
  return told.split('\n').flatMap((line) => {
    pool = /NOTICE:\s+\[(.+)\]$/.exec(line)?.[1] ?? pool
    const [, kind, name, value] = /(php(?:_admin)?_value)\[([^\]]+)\] = (.*)$/.exec(line) ?? []
    return kind === undefined ? [] : [`${pool} ${kind} ${name} = ${value}`]
  })
}

describe.each(PHPS)('the pools of php-fpm are read as php-fpm reads them, %s', (_name, underTest) => {
  test.each(Object.entries(CONFIGURATIONS))('%s', (_what, files) => {
    const directory = place(files)
    const configuration = join(directory, 'main.conf')
    const host = { ...nodeHost, env: { ...process.env, POOLS_TEST: 'var' } }
    const read = readPools(host, ['php-fpm', '-y', configuration]).filter(({ kind }) => kind !== '')
    const kinds: Readonly<Record<string, string>> = {
      php_flag: 'php_value',
      php_admin_flag: 'php_admin_value',
    }
    const lines = read.map(({ pool, kind, name, value }) => {
      const shown = kind.endsWith('flag') ? (value === 'on' ? '1' : '0') : value
      return `${pool} ${kinds[kind] ?? kind} ${name} = ${shown}`
    })
    expect(lines.toSorted()).toEqual([...new Set(toldBy(underTest, configuration))].toSorted())
    expect(lines.length).toBeGreaterThan(0)
    for (const { name, from } of read) {
      const [, path = '', number] = /^(.*):(\d+)$/.exec(from) ?? []
      expect(readFileSync(path, 'utf8').split('\n')[Number(number) - 1]).toContain(name)
    }
  })

  test('a relative path is relative to the prefix', () => {
    const files = {
      'etc/php-fpm.conf': '[global]\ninclude = etc/pool.d/*.conf\n',
      'etc/pool.d/a.conf': `[a]\n${POOL}php_value[session.save_path] = /a\n`,
    }
    const directory = place(files)
    const options = ['-p', directory, '-y', join(directory, 'etc/php-fpm.conf')]
    const { file, args, env } = underTest.php.fpm([...options, '-t'], process.env)
    expect(() => execFileSync(file, args, { env, stdio: 'ignore' })).not.toThrow()
    for (const command of [options, ['-p', directory], [`--prefix=${directory}`]])
      expect(readPools(nodeHost, ['php-fpm', ...command]).at(-1)).toMatchObject({ pool: 'a', value: '/a' })
    // As in the images of PHP: /usr/local is the prefix of a php-fpm in /usr/local/sbin.
    const program = join(directory, 'sbin/php-fpm')
    mkdirSync(join(directory, 'sbin'))
    writeFileSync(program, '')
    expect(readPools(nodeHost, [program]).at(-1)).toMatchObject({ pool: 'a', value: '/a' })
  })

  test.each(['explain', 'doctor', 'ini'])(
    'nothing is written into the log of php-fpm, and no secret anywhere: %s',
    (command) => {
      const directory = place({
        'fpm.conf': `[global]\nerror_log = DIR/fpm.log\n[www]\n${POOL}env[DB_PASSWORD] = ${CANARY}x\nphp_value[session.save_path] = "tcp://h:1?auth=${CANARY}y"\n`,
      })
      const { php } = underTest
      const path = join(directory, 'bin')
      mkdirSync(path)
      const fpm = join(path, 'php-fpm')
      writeFileSync(
        fpm,
        `#!/bin/sh\nexec ${php.fpm([]).file} ${php.fpm([]).args.join(' ')} -y ${directory}/fpm.conf "$@"\n`,
        { mode: 0o755 },
      )
      const said: string[] = []
      const say = (text: string) => void said.push(text)
      const env = {
        ...process.env,
        VCAP_SERVICES: vcapServices({ ...redisService, credentials: { host: '127.0.0.1', port: 1 } }),
        PATH: `${path}:${process.env.PATH}`,
      }
      const host = { ...nodeHost, env, out: say, err: say }
      const flags = command === 'ini' ? [] : ['--fpm', fpm, '--app', directory]
      main(host, [command, ...flags, ...(command === 'doctor' ? ['--debug'] : [])])
      expect(said.length).toBeGreaterThan(0)
      expect(said.join('')).not.toContain(CANARY)
      expect(existsSync(join(directory, 'fpm.log'))).toBe(false)
    },
  )
})
