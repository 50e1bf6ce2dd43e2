import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeScratch } from '../../lab/processes/scratch.ts'

const LIB = join(import.meta.dirname, '../../scripts/parts/lib.sh')
const FALLBACK = 'http://fallback.example/debian'

const RELEASE = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
const codename = /^VERSION_CODENAME=(.*)$/m.exec(RELEASE)?.[1] ?? ''
const HERE = (['Debian', 'Ubuntu'] as const).find((name) => RELEASE.includes(`\nID=${name.toLowerCase()}\n`))
const DISTRIBUTION = HERE ?? 'Debian'

/** What `archive_of` says where apt has these sources, and no lists of packages. */
function archiveOf(args: readonly string[], sources: string, env: Readonly<Record<string, string>> = {}) {
  const directory = makeScratch('apt')
  mkdirSync(join(directory, 'lists/partial'), { recursive: true })
  writeFileSync(join(directory, 'sources.list'), sources)
  writeFileSync(
    join(directory, 'apt.conf'),
    `Dir::Etc::SourceList "${directory}/sources.list";\nDir::Etc::SourceParts "/dev/null";\nDir::State::Lists "${directory}/lists";\n`,
  )
  return execFileSync('bash', ['-c', '. "$0"; archive_of "$@"', LIB, ...args], {
    cwd: directory,
    env: { PATH: process.env.PATH, APT_CONFIG: join(directory, 'apt.conf'), ...env },
    encoding: 'utf8',
  }).trim()
}

const MIRRORS = `
deb http://mirror.example/debian ${codename} main
deb http://mirror.example/debian ${codename}-updates main
deb http://mirror.example/security ${codename}-security main
deb https://packages.example/php ${codename} main
`

describe.skipIf(HERE === undefined)('where scripts fetch packages of this distribution from', () => {
  test.each<[string, string[], string, Record<string, string>, string]>([
    [
      "a mirror in the machine's sources",
      [DISTRIBUTION, '', FALLBACK],
      MIRRORS,
      {},
      'http://mirror.example/debian',
    ],
    [
      'its security updates',
      [DISTRIBUTION, '-security', FALLBACK],
      MIRRORS,
      {},
      'http://mirror.example/security',
    ],
    [
      'a source of the suite stable',
      [DISTRIBUTION, '', FALLBACK],
      'deb http://s.example/debian stable main',
      {},
      'http://s.example/debian',
    ],
    [
      'no source of it',
      [DISTRIBUTION, '', FALLBACK],
      'deb http://other.example/x nodistro main',
      {},
      FALLBACK,
    ],
    ['another distribution', [HERE === 'Ubuntu' ? 'Debian' : 'Ubuntu', '', FALLBACK], MIRRORS, {}, FALLBACK],
    [
      'DEBIAN_ARCHIVE',
      ['Debian', '', FALLBACK],
      MIRRORS,
      { DEBIAN_ARCHIVE: 'http://mine.example/d' },
      'http://mine.example/d',
    ],
    [
      'DEBIAN_ARCHIVE, security updates',
      ['Debian', '-security', FALLBACK],
      MIRRORS,
      { DEBIAN_ARCHIVE: 'http://mine.example/d' },
      'http://mine.example/d-security',
    ],
  ])('%s', (_name, args, sources, env, expected) => {
    expect(archiveOf(args, sources, env)).toBe(expected)
  })
})
