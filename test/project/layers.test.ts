import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** What each folder may import besides itself; every other import is a violation that the linter must find. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'src/core': [],
  'src/host': [],
  'src/stores': ['src/core'],
  'src/platforms': ['src/core', 'src/host'],
  'src/frameworks': ['src/core', 'src/host'],
  'src/plan': ['src/core', 'src/stores'],
  'src/php': ['src/core', 'src/host', 'src/stores', 'src/platforms', 'src/frameworks', 'src/plan'],
  'src/homes': [
    'src/core',
    'src/host',
    'src/stores',
    'src/platforms',
    'src/frameworks',
    'src/plan',
    'src/php',
  ],
  ...Object.fromEntries(
    ['src/watch', 'src/explain', 'src/doctor', 'src/sessions'].map((folder) => [
      folder,
      [
        ...['src/core', 'src/host', 'src/stores', 'src/platforms', 'src/frameworks', 'src/plan', 'src/php'],
        'src/homes',
      ],
    ]),
  ),
  'src/cli': [
    ...['src/core', 'src/host', 'src/stores', 'src/platforms', 'src/frameworks', 'src/plan', 'src/php'],
    ...['src/homes', 'src/watch', 'src/explain', 'src/doctor', 'src/sessions'],
  ],
  lab: ['scripts'],
  bench: ['lab', 'playground', 'scripts'],
  playground: ['lab', 'src', 'scripts'],
}
const FOLDERS = [...Object.keys(MAY_IMPORT), 'test', 'src']

const IMPORT = 'lint/style/noRestrictedImports'
const GLOBAL = 'lint/style/noRestrictedGlobals'
const CYCLE = 'lint/suspicious/noImportCycles'

interface Written {
  readonly name: string
  readonly path: string
  readonly text: string
  /** Undefined where the linter has nothing to say. */
  readonly finds: string | undefined
}

const up = (path: string) => '../'.repeat(path.split('/').length - 1)

/** Each folder imports from each other one, from itself and from a folder in it. */
const imports: readonly Written[] = Object.entries(MAY_IMPORT).flatMap(([from, allowed]) =>
  FOLDERS.filter((to) => to !== from && !from.startsWith(`${to}/`) && !to.startsWith(`${from}/`)).flatMap(
    (to) =>
      ['', 'inner/'].map((inner) => {
        const path = `${from}/${inner}from-${inner.length}-${to.replace('/', '-')}.ts`
        return {
          name: `${from}/${inner} imports ${to}`,
          path,
          text: `import { one } from '${up(path)}${to}/other1.ts'\nexport const two = one\n`,
          finds:
            allowed.includes(to) || (allowed.includes('src') && to.startsWith('src/')) ? undefined : IMPORT,
        }
      }),
  ),
)

/** The ways in which a file can import another one. */
const WAYS: Readonly<Record<string, string>> = {
  'a name': "import { one } from '../cli/main.ts'\nexport const two = one\n",
  'a type': "import type { One } from '../cli/main.ts'\nexport type Two = One\n",
  'a file with a digit in its name': "import { one } from '../cli/base64.ts'\nexport const two = one\n",
  'a PHP file': "import one from '../php/probes/session.php'\nexport const two = one\n",
  'a Lua file': "import one from '../stores/redis/handler/release.lua'\nexport const two = one\n",
  'at run time': "export const two = import('../cli/main.ts')\n",
  'for its side effects': "import '../cli/main.ts'\n",
  'to export it again': "export { one } from '../cli/main.ts'\n",
  'to export all of it again': "export * from '../cli/main.ts'\n",
  'the file in which the program for Node starts':
    "import { one } from '../node.ts'\nexport const two = one\n",
}
const ways: readonly Written[] = Object.entries(WAYS).map(([way, text], at) => ({
  name: `src/core imports ${way}`,
  path: `src/core/way${at}.ts`,
  text,
  finds: IMPORT,
}))

/** What only a host knows. */
const IMPURE: Readonly<Record<string, string>> = {
  'the clock': 'Date.now()',
  'another clock': 'performance.now()',
  'a timer': 'setTimeout(() => undefined, 1)',
  'the environment': 'process.env',
  'everything global': 'globalThis.Date',
  'a URL': "new URL('x:y')",
  'bytes of Node': "Buffer.from('')",
  'the network': "fetch('http://x')",
  'random bytes': 'crypto.randomUUID()',
  'the terminal': 'console.log(1)',
}
const PURE = Object.keys(MAY_IMPORT).filter((folder) => folder.startsWith('src/') && folder !== 'src/host')
const impure: readonly Written[] = PURE.flatMap((folder) =>
  Object.entries(IMPURE).map(([what, text], at) => ({
    name: `${folder} uses ${what}`,
    path: `${folder}/impure${at}.ts`,
    text: `export const one = () => ${text}\n`,
    finds: GLOBAL,
  })),
)

/** What belongs to a runtime, or to the tests. */
const foreign: readonly Written[] = [
  ...PURE.flatMap((folder) =>
    ['node:fs', 'qjs:std', 'vitest', 'fast-check'].map((name) => [folder, name] as const),
  ),
  ...(['vitest', 'fast-check'] as const).flatMap((name) =>
    ['src/host', 'lab', 'bench', 'playground'].map((folder) => [folder, name] as const),
  ),
].map(([folder, name]) => ({
  name: `${folder} imports ${name}`,
  path: `${folder}/foreign-${name.replace(':', '-')}.ts`,
  text: `import { one } from '${name}'\nexport const two = one\n`,
  finds: IMPORT,
}))

const cycles: readonly Written[] = [
  [
    'run time',
    "import { b } from './b.ts'\nexport const a = () => b\n",
    "import { a } from './a.ts'\nexport const b = () => a\n",
  ],
  [
    'types',
    "import type { B } from './b.ts'\nexport type A = B | 1\n",
    "import type { A } from './a.ts'\nexport type B = A | 2\n",
  ],
].flatMap(([kind, a = '', b = '']) =>
  [a, b].map((text, at) => ({
    name: `a cycle of ${kind}, from its file ${at + 1}`,
    path: `src/plan/${kind?.replace(' ', '-')}/${at === 0 ? 'a' : 'b'}.ts`,
    text,
    finds: CYCLE,
  })),
)

const ALL = [...imports, ...ways, ...impure, ...foreign, ...cycles]

/** Only for a machine that is busy. */
const HANG_MILLISECONDS = 120_000

const directory = mkdtempSync(`${tmpdir()}/layers-`)
afterAll(() => rmSync(directory, { recursive: true }))

let found: ReadonlySet<string>
beforeAll(() => {
  copyFileSync('biome.json', `${directory}/biome.json`)
  for (const { path, text } of ALL) {
    mkdirSync(dirname(`${directory}/${path}`), { recursive: true })
    writeFileSync(`${directory}/${path}`, text)
  }
  found = lint()
}, HANG_MILLISECONDS)

/** `rule path` of each violation. */
function lint(): ReadonlySet<string> {
  const program = `${process.cwd()}/node_modules/.bin/biome`
  const args = ['lint', '--reporter=json', '--max-diagnostics=none', '.']
  const printed = (() => {
    try {
      return execFileSync(program, args, {
        cwd: directory,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        maxBuffer: 2 ** 28,
      })
    } catch (error) {
      return String((error as { readonly stdout?: unknown }).stdout)
    }
  })()
  const { diagnostics } = JSON.parse(printed.slice(printed.indexOf('{'))) as {
    diagnostics: readonly { category: string; location: { path: string | { file: string } } }[]
  }
  return new Set(
    diagnostics.map(
      ({ category, location: { path } }) => `${category} ${typeof path === 'string' ? path : path.file}`,
    ),
  )
}

test('the linter finds each violation of the layers, and nothing in what they allow', () => {
  const rules = [IMPORT, GLOBAL, CYCLE]
  const wrong = ALL.filter(({ path, finds }) =>
    rules.some((rule) => found.has(`${rule} ${path}`) !== (rule === finds)),
  ).map(
    ({ name, path, finds }) =>
      `${name}: expected ${finds ?? 'nothing'}, got ${rules.filter((rule) => found.has(`${rule} ${path}`)).join() || 'nothing'}`,
  )
  expect(wrong).toEqual([])
})

test('every folder of the program has its place in the layers', () => {
  const folders = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory())
  expect(folders.map(({ name }) => `src/${name}`).filter((folder) => !(folder in MAY_IMPORT))).toEqual([])
})
