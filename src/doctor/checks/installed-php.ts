import type { StoreName } from '../../core/endpoint.ts'
import { KILLED, NOT_FOUND } from '../../core/exit-status.ts'
import type { Finding } from '../../core/finding.ts'
import { joinWords } from '../../core/text.ts'
import type { SettingsAnswer } from '../../php/answers.ts'
import { ProbeSilent } from '../../php/ask.ts'
import { webOf } from '../../php/web/web.ts'
import { PhpUnreadable } from '../ask-settings.ts'
import type { Check, Context } from '../check.ts'
import { findUnreadable } from './effective-settings.ts'

/** Whether there is a PHP, and which. */
export const found: Check = {
  id: 'php.found',
  meaning: 'which PHP is here, and which ini files does it read?',
  needs: [],
  run: (context) => {
    try {
      const { name, files } = webOf(context.ask('settings'))
      return { title: `${name}, ${files.length} ini ${files.length === 1 ? 'file' : 'files'}`, findings: [] }
    } catch (error) {
      if (!(error instanceof ProbeSilent)) throw error
      return { title: 'no PHP answers', findings: [findSilent(error)] }
    }
  },
}

function findSilent(error: ProbeSilent): Finding {
  if (error instanceof PhpUnreadable)
    return findUnreadable(`${error.php} crashes: this user cannot read all of its ini files`, error.file)
  const { command, status, limitSeconds } = error
  const [file = 'php'] = command.split(' ')
  if (status === NOT_FOUND)
    return {
      id: 'php.missing',
      level: 'error',
      title: `no PHP was found: ${file} cannot be run`,
      from: 'PATH',
      fix: 'install php-cli, or say where PHP is: php-sessions doctor --php PATH',
    }
  return {
    id: 'php.silent',
    level: 'error',
    title:
      status === KILLED
        ? `PHP did not answer within ${limitSeconds} seconds when asked for its settings`
        : `PHP ended with exit status ${status} when asked for its settings; doctor needs PHP 8`,
    from: file,
    fix: `check that this works: ${file} -v`,
  }
}

/** A syntax error makes PHP skip the rest of an ini file, and PHP reports it only where nobody looks. */
export const iniSyntax: Check = {
  id: 'php.ini',
  meaning: 'are the ini files free of syntax errors?',
  needs: ['php.found'],
  run: (context) => {
    const { faults } = webOf(context.ask('settings'))
    return {
      title: 'the ini files are free of syntax errors',
      findings: faults.map((fault) => ({
        id: 'php.ini-syntax',
        level: 'error',
        title: `PHP skips the rest of an ini file: ${context.quote(fault)}`,
        from: /in (\S+:\d+)/.exec(fault)?.[1] ?? 'an ini file',
        fix: 'put the value on that line in double quotes',
      })),
    }
  },
}

/** Whether the extension with the session handler is loaded. */
export const extension: Check = {
  id: 'php.extension',
  meaning: 'does PHP have the extension for this store?',
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
      from: `no ${name}.so in ${extensionDirectory}`,
      fix: context.advice.getExtension(name, short),
    }
  const { said = '' } = context.ask('extension')
  const symbol = /undefined symbol: (igbinary|msgpack|php_json|session|ps_)/.exec(said)?.[1]
  if (symbol === 'igbinary' || symbol === 'msgpack')
    return {
      id: 'php.extension-order',
      level: 'error',
      title: `${name}.so needs the extension ${symbol}, which is not loaded before it`,
      from: /undefined symbol: \w+/.exec(said)?.[0] ?? extensionDirectory,
      fix: libraries.includes(symbol)
        ? `add extension=${symbol} to an ini file that sorts before the one that loads ${name}`
        : `apt-get install php${short}-${symbol}, and load it before ${name}`,
    }
  const unable = /Unable to load dynamic library[^\n]*/.exec(said)?.[0]
  return {
    id: 'php.extension-off',
    level: 'error',
    title:
      unable === undefined
        ? `the extension ${name} is installed but not loaded`
        : `PHP cannot load the extension ${name}: ${context.quote(unable)}`,
    from: `${extensionDirectory}/${name}.so; ini files in ${joinWords(
      scan.map(({ path }) => path),
      'and',
    )}`,
    fix: `run phpenmod ${name}, or add extension=${name} to an ini file there`,
  }
}
