import { cpSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { InstalledPhp } from '../../../../lab/php/installed.ts'
import { makeScratch } from '../../../../lab/processes/scratch.ts'
import { type PhptResult, runPhpt } from './phpt.ts'

/** What runs tests one after the other: with the next ini where one has failed, each with an empty store. */
export interface PhptWorker {
  readonly inis: readonly string[]
  empty(): unknown
  /** Changes the files of the tests, in a directory of its own. */
  prepare?(directory: string): void
}

export type PhptResults = ReadonlyMap<string, PhptResult>

/** The names of the tests in a folder. */
export const phptNames = (folder: string): readonly string[] =>
  readdirSync(folder).flatMap((file) => /(.+)\.phpt$/.exec(file)?.[1] ?? [])

/** Runs these tests of a folder, as many at once as there are workers. */
export async function runPhptSuite(
  php: InstalledPhp,
  folder: string,
  names: readonly string[],
  workers: readonly PhptWorker[],
): Promise<PhptResults> {
  const queue = [...names]
  const results = new Map<string, PhptResult>()
  const saidBySkip = new Map<string, string>()
  const work = async ({ inis, empty, prepare }: PhptWorker) => {
    const directory = join(makeScratch('phpt'), 'tests')
    mkdirSync(directory)
    cpSync(folder, directory, { recursive: true })
    prepare?.(directory)
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      for (const ini of inis) {
        await empty()
        const result = await runPhpt(php, directory, name, ini, saidBySkip)
        results.set(name, result)
        if (result.kind !== 'failed') break
      }
    }
  }
  await Promise.all(workers.map(work))
  return results
}

/** The names of those that ended like this. */
export const phptsThat = (kind: PhptResult['kind'], results: PhptResults): readonly string[] =>
  [...results].flatMap(([name, result]) => (result.kind === kind ? [name] : [])).sort()
