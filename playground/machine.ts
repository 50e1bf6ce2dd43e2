import { execFileSync } from 'node:child_process'

/** Distributions keep servers where users' PATH does not look. */
const SERVERS = '/usr/local/sbin:/usr/sbin:/sbin'

interface Need {
  /** A shell command that succeeds where it is there. */
  readonly test: string
  readonly what: string
  /** Debian's and Ubuntu's package. */
  readonly packageName: string
}

const program = (name: string, packageName: string): Need => ({
  test: `command -v ${name}`,
  what: `the program ${name}`,
  packageName,
})

const extension = (name: string): Need => ({
  // Not loaded: it may need another one first. Only where it would lie.
  test: `test -e "$(php -n -r 'echo PHP_EXTENSION_DIR;')/${name}.so"`,
  what: `the PHP extension ${name}`,
  packageName: `php-${name}`,
})

const NEEDS: readonly Need[] = [
  { test: 'test -r /proc/self/fd', what: 'Linux', packageName: '' },
  program('bash', 'bash'),
  program('perl', 'perl'),
  program('php', 'php-cli'),
  {
    test: 'command -v php-fpm || command -v php-fpm$(php -n -r "echo PHP_MAJOR_VERSION, \'.\', PHP_MINOR_VERSION;")',
    what: 'the program php-fpm',
    packageName: 'php-fpm',
  },
  extension('redis'),
  extension('memcached'),
  extension('igbinary'),
  extension('msgpack'),
  program('nginx', 'nginx-light'),
  program('redis-server', 'redis-server'),
  program('redis-cli', 'redis-tools'),
  program('memcached', 'memcached'),
  program('saslpasswd2', 'sasl2-bin'),
  {
    test: 'ls /usr/lib*/sasl2/libplain.so* /usr/lib/*/sasl2/libplain.so* | grep -q .',
    what: "Memcached's login with a password (SASL PLAIN)",
    packageName: 'libsasl2-modules',
  },
]

/** The path of a Unix socket has at most 107 bytes, and an instance keeps one in this directory, some levels below. */
const LONGEST_TEMPORARY = 50

/** Why the temporary directory cannot be used; undefined if it can. */
export function whyNotIn(directory: string): string | undefined {
  const fix = 'set TMPDIR to another one, for example /tmp'
  if (directory.length > LONGEST_TEMPORARY)
    return `the temporary directory ${directory} has too long a path: ${fix}`
  // As on Cloud Foundry, whose home directory has none, start commands are not quoted.
  return /^[\w./+@,-]+$/.test(directory)
    ? undefined
    : `the temporary directory ${directory} has blanks or special characters in its path: ${fix}`
}

/** What the machine lacks: a line for each thing, with the package that brings it, and a command for all of them. */
export function findMissing(path = process.env.PATH ?? '', servers = SERVERS): readonly string[] {
  const missing = NEEDS.filter(({ test }) => !succeeds(test, `${path}:${servers}`))
  if (missing.length === 0) return []
  const packages = [...new Set(missing.map(({ packageName }) => packageName).filter((name) => name !== ''))]
  return [
    ...missing.map(({ what, packageName }) =>
      packageName === '' ? `the playground needs ${what}` : `${what} is missing: package ${packageName}`,
    ),
    ...(packages.length === 0 ? [] : [`on Debian or Ubuntu: apt-get install ${packages.join(' ')}`]),
  ]
}

function succeeds(test: string, path: string): boolean {
  try {
    execFileSync('/bin/sh', ['-c', test], {
      stdio: 'ignore',
      env: { ...process.env, PATH: path },
    })
    return true
  } catch {
    return false
  }
}
