import type { Redis } from './redis.ts'

export type Script = (redis: Redis, KEYS: string[], ARGV: string[]) => unknown[]

const words: [RegExp, string][] = [
  [/^--.*\n/gm, ''],
  [/\breturn \{(.*?)\}(?= end|$)/gm, 'return [$1]'],
  [/\{(ARGV\[1\], \w+)\}/g, '[$1]'],
  [/\blocal (\w+)$/gm, 'let $1'],
  [/\blocal (\w+) =/g, 'let $1 ='],
  [/\belseif (.*?) then\b/g, '} else if ($1) {'],
  [/\bif (.*?) then\b/g, 'if ($1) {'],
  [/\belse$/gm, '} else {'],
  [/\bend\b/g, '}'],
  [/ ~= /g, ' !== '],
  [/ == /g, ' === '],
  [/\bnot /g, '!'],
  [/ and /g, ' && '],
  [/ or /g, ' || '],
  [/\bnil\b/g, 'undefined'],
  [/ \.\. /g, ' + '],
  [/\btonumber\(/g, 'Number('],
  [/\btostring\(/g, 'String('],
  [/\bmath\.floor\(/g, 'Math.floor('],
  [/\btype\((\w+)\) !== 'table'/g, "typeof $1 !== 'object'"],
]

/** What the scripts call of Lua's library. */
const string = {
  find: (text: string, plain: string) => text.indexOf(plain) + 1 || undefined,
  sub: (text: string, first: number, last: number) => text.slice(first - 1, last),
  match: (text: string, pattern: string) => new RegExp(pattern).exec(text)?.[1],
}

/**
 * Translates the little Lua that the scripts use to JavaScript, so that the search runs what the server runs. Lua that
 * is not known here is a syntax error and never gets another meaning: no script has 0 or '' as a condition.
 */
export function compile(lua: string): Script {
  const body = words.reduce((text, [from, to]) => text.replace(from, to), lua)
  const script = new Function('string', 'redis', 'KEYS', 'ARGV', body)
  // Lua counts from one.
  return (redis, keys, values) => script(string, redis, ['', ...keys], ['', ...values])
}
