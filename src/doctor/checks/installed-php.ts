import type { Finding } from '../../core/finding.ts'
import { joinWords } from '../../core/text.ts'
import type { SettingsAnswer } from '../../php/answers.ts'
import { KILLED, LIMIT_SECONDS, ProbeSilent } from '../../php/ask.ts'
import { webOf } from '../../php/web.ts'
import type { StoreName } from '../../stores/store.ts'
import type { Check, Context } from '../check.ts'

/** Whether there is a PHP, and which. */
export const found: Check = {
  id: 'php.found',
  meaning: 'which PHP is it, and which ini files does it read?',
  needs: [],
  run: (context) => {
    try {
      const { name, files } = webOf(context.ask('settings'))
      return { title: `${name}, ${files.length} ini files`, findings: [] }
    } catch (error) {
      if (!(error instanceof ProbeSilent)) throw error
      return { title: 'no PHP that answers', findings: [findSilent(error)] }
    }
  },
}

function findSilent({ command, status }: ProbeSilent): Finding {
  const [file = 'php'] = command.split(' ')
  if (status === SHELL_NOT_FOUND)
    return {
      id: 'php.missing',
      level: 'error',
      title: `there is no PHP here: ${file} cannot be run`,
      from: 'PATH',
      fix: 'install php-cli, or name it: php-sessions doctor --php PATH',
    }
  return {
    id: 'php.silent',
    level: 'error',
    title: `PHP, asked for its settings, ${status === KILLED ? `gave no answer within ${LIMIT_SECONDS} seconds` : `ended with exit status ${status}; doctor needs PHP 8`}`,
    from: file,
    fix: `see whether this works: ${file} -v`,
  }
}

/** As a shell says it of a program that is not there. */
const SHELL_NOT_FOUND = 127

/** A syntax error makes PHP leave out the rest of an ini file, and it says so only where nobody looks. */
export const iniSyntax: Check = {
  id: 'php.ini',
  meaning: 'are the ini files without syntax errors?',
  needs: ['php.found'],
  run: (context) => {
    const { faults } = webOf(context.ask('settings'))
    return {
      title: 'the ini files are without syntax errors',
      findings: faults.map((fault) => ({
        id: 'php.ini-syntax',
        level: 'error',
        title: `PHP leaves out the rest of an ini file: ${fault}`,
        from: /in (\S+:\d+)/.exec(fault)?.[1] ?? 'an ini file',
        fix: 'put the value on that line in double quotes',
      })),
    }
  },
}

/** The extension that has the session handler. */
export const extension: Check = {
  id: 'php.extension',
  meaning: 'has PHP the extension that keeps the sessions?',
  needs: ['binding.plan', 'php.found'],
  run: (context) => {
    const { planned } = context.plan
    if (planned === undefined) return undefined
    const { name } = planned.store
    const settings = context.ask('settings')
    const version = webOf(settings).extensions[name]
    if (typeof version === 'string')
      return { title: `${webOf(settings).name} has ${EXTENSION_TITLES[name]} ${version}`, findings: [] }
    return { title: `no extension ${name}`, findings: [findMissing(context, settings, name)] }
  },
}

const EXTENSION_TITLES: Readonly<Record<StoreName, string>> = {
  redis: 'phpredis',
  memcached: 'php-memcached',
}

function findMissing(context: Context, settings: Partial<SettingsAnswer>, name: string): Finding {
  const { libraries = [], extensionDirectory = '', version = '' } = settings
  const { name: php, scan } = webOf(settings)
  const short = /^[0-9]+\.[0-9]+/.exec(version)?.[0] ?? ''
  if (!libraries.includes(name))
    return {
      id: 'php.extension',
      level: 'error',
      title: `${php} has no extension ${name}`,
      from: `${extensionDirectory} has no ${name}.so`,
      fix: context.advice.getExtension(name, short),
    }
  const { said = '' } = context.ask('extension')
  const symbol = /undefined symbol: (igbinary|msgpack|php_json|session|ps_)/.exec(said)?.[1]
  if (symbol === 'igbinary' || symbol === 'msgpack')
    return {
      id: 'php.extension-order',
      level: 'error',
      title: `${name}.so needs the extension ${symbol}, which PHP has not loaded before it`,
      from: /undefined symbol: \w+/.exec(said)?.[0] ?? extensionDirectory,
      fix: libraries.includes(symbol)
        ? `write extension=${symbol} in an ini file that sorts before the one that loads ${name}`
        : `apt-get install php${short}-${symbol}, and load it before ${name}`,
    }
  const unable = /Unable to load dynamic library[^\n]*/.exec(said)?.[0]
  return {
    id: 'php.extension-off',
    level: 'error',
    title:
      unable === undefined
        ? `the extension ${name} is there and not loaded`
        : `PHP cannot load the extension ${name}: ${unable}`,
    from: `${extensionDirectory}/${name}.so; ini files in ${joinWords(
      scan.map(({ path }) => path),
      'and',
    )}`,
    fix: `phpenmod ${name}, or write extension=${name} in an ini file there`,
  }
}
