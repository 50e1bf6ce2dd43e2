import type { PoolLine } from '../../src/php/answers.ts'

/** The php-fpm that a PHP names, whose configuration is in `poolFiles`. */
export const FPM = { command: ['php-fpm'], files: ['/etc/php-fpm.conf'], prefix: '/usr' }

/** The files of a php-fpm in which these lines are, each where its `from` says. */
export function poolFiles(
  lines: readonly PoolLine[],
  main = FPM.files[0] ?? '',
): Readonly<Record<string, string>> {
  const files = new Map<string, string[]>()
  const sections = new Map<string, string>()
  for (const { pool, kind, name, value, from } of lines) {
    const [, path = '', number = '1'] = /^(.*):([0-9]+)$/.exec(from) ?? []
    const text = files.get(path) ?? []
    if (sections.get(path) !== pool) text.push(`[${pool}]`)
    sections.set(path, pool)
    const at = text[Number(number) - 1] === undefined ? Number(number) - 1 : text.length
    text[at] = `${kind === '' ? name : `${kind}[${name}]`} = "${value}"`
    files.set(path, text)
  }
  const texts = [...files].map(([path, text]) => [
    path,
    `${Array.from(text, (line) => line ?? '').join('\n')}\n`,
  ])
  const includes = [...files.keys()].map((path) => `include = ${path}\n`)
  return { [main]: `[global]\n${includes.join('')}`, ...Object.fromEntries(texts) }
}
