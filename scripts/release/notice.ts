import { readFileSync } from 'node:fs'
import { type BundledPackage, bundledPackages } from '../parts/bundles.ts'
import { NATIVE_PARTS, type NativePart, UNICODE } from './native-parts.ts'

/**
 * Gives the text of NOTICE: whose work is in the artefacts, and under which licences. It is a file of every artefact, and
 * `php-sessions --licences` prints it.
 */
export async function renderNotice(): Promise<string> {
  const [, ownCopyright = '', mit = ''] =
    /^MIT License\n\n(.*)\n\n([\s\S]*)$/.exec(readFileSync('LICENSE', 'utf8')) ?? []
  const works = [
    ...[...Object.values(NATIVE_PARTS), UNICODE].map(readNative),
    ...(await bundledPackages()).map((each) => read(each, mit)),
  ]
  const list = works.map(
    ({ title, copyright }) => `${title}\n${copyright.map((line) => `  ${line}\n`).join('')}`,
  )
  const others = works.flatMap(({ terms }) => (terms === undefined ? [] : [`${RULE}\n\n${terms}`]))
  return `php-sessions
  ${ownCopyright}

These works are in it:

${list.join('\n')}
GCC's library libgcc is in it under GPL-3.0 with the GCC Runtime Library Exception,
which allows that in programs of any licence.

${RULE}

php-sessions and the works above are under the MIT licence${others.length === 0 ? '' : ', or that which follows it'}:

${mit}${others.map((text) => `\n${text}`).join('')}`
}

const RULE = '-'.repeat(40)

const placeOf = (bundles: readonly string[]) =>
  bundles.every((bundle) => bundle.startsWith('playground/'))
    ? 'in the playground of the npm package'
    : 'in the program'

const readNative = ({ name, home, copyright, terms }: NativePart) => ({
  title: `${name} (${home}), in the executable`,
  copyright,
  terms: terms === undefined ? undefined : `${name}\n\n${readFileSync(terms, 'utf8')}`,
})

/** Splits a licence's text into its copyright lines and, unless it is the MIT licence, its terms. */
function read({ name, version, licenseText, bundles }: BundledPackage, mit: string) {
  const lines = licenseText.split('\n').map((line) => line.trim())
  const copyright = lines.filter((line) => /^copyright\b.*\d{4}/i.test(line))
  const rest = lines
    .filter((line) => !copyright.includes(line) && !/^(the )?mit license\b.*$/i.test(line))
    .join('\n')
  const isMit = words(rest) === words(mit)
  return {
    title: `${name} ${version}, ${placeOf(bundles)}`,
    copyright,
    terms: isMit ? undefined : `${name}\n\n${licenseText}`,
  }
}

const words = (text: string) => text.toLowerCase().match(/\w+/g)?.join(' ')
