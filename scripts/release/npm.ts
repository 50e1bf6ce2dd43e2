import { readdirSync, readFileSync, statSync } from 'node:fs'
import { type PackedFile, readFiles, TEXTS } from './buildpack.ts'

/** What a user of the package has no use for. */
const ONLY_FOR_DEVELOPERS = ['scripts', 'devDependencies']

/** Gives the files of the npm package, as `npm pack` arranges them. npm's own tarball differs from version to version. */
export function npmFiles(version: string): readonly PackedFile[] {
  const manifest = Object.entries(JSON.parse(readFileSync('package.json', 'utf8')))
    .filter(([key]) => !ONLY_FOR_DEVELOPERS.includes(key))
    .map(([key, value]) => [key, key === 'version' ? version : value])
  const { files } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly files: readonly string[] }
  const paths = files.flatMap((path) =>
    statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => `${entry.parentPath}/${entry.name}`)
      : [path],
  )
  const packed: readonly PackedFile[] = [
    {
      path: 'package.json',
      mode: 0o644,
      bytes: Buffer.from(`${JSON.stringify(Object.fromEntries(manifest), null, 2)}\n`),
    },
    ...readFiles(
      TEXTS.filter((name) => !paths.includes(name)),
      0o644,
    ),
    ...paths.flatMap((path) => readFiles([path], (statSync(path).mode & 0o111) === 0 ? 0o644 : 0o755)),
  ]
  return packed.map((file) => ({ ...file, path: `package/${file.path}` }))
}
