import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Service, vcapServices } from '../../lab/bindings.ts'
import { makeBareContainer } from '../../lab/cloudfoundry/bare-container.ts'
import { makeScratch } from '../../lab/processes/scratch.ts'
import { type Benchmark, countSteps, type Table } from '../benchmark.ts'
import { compareStarts, type StartContender } from '../parts/starts.ts'

// How long a start takes with 1 to 10,000 bound services, of which the last one is for sessions.

const PROGRAM = join(import.meta.dirname, '../../dist/php-sessions')
const COUNTS = [1, 10, 100, 1000, 10_000]

export const services: Benchmark = async (run) => {
  const rounds = run.pick(3, 7)
  const step = countSteps(run, rounds * COUNTS.length * 2)
  const inFile: Record<string, StartContender> = {}
  const inDirectories: Record<string, StartContender> = {}
  for (const count of COUNTS) {
    const bound = makeServices(count)
    const starts = count > 100 ? 1 : 10
    const file = placeOfFile(bound)
    inFile[String(count)] = { command: `${PROGRAM} launch`, starts, place: () => file }
    const directories = placeOfDirectories(bound)
    inDirectories[String(count)] = { command: `${PROGRAM} exec -- true`, starts, place: () => directories }
  }
  return {
    versions: {},
    conditions: [
      'services in a file: `php-sessions launch` with VCAP_SERVICES_FILE_PATH; a variable may have 128 KB',
      'services in directories: `php-sessions exec -- true` with SERVICE_BINDING_ROOT, four files a binding; PHP is asked for its extensions',
    ],
    tables: {
      file: withCounts(await compareStarts(rounds, inFile, step)),
      directories: withCounts(await compareStarts(rounds, inDirectories, step)),
    },
  }
}

function makeServices(count: number): readonly Service[] {
  return Array.from({ length: count }, (_, i) => ({
    name: i === count - 1 ? 'app-redis-sessions' : `other-${i}`,
    credentials: { host: '10.0.4.30', port: 6379, password: `p,w +%&${i}` },
  }))
}

function placeOfFile(bound: readonly Service[]) {
  const { env, directory } = makeBareContainer('max_execution_time = 30\n')
  const file = join(directory, 'services.json')
  writeFileSync(file, vcapServices(...bound))
  return { env: { ...env, VCAP_SERVICES_FILE_PATH: file } }
}

function placeOfDirectories(bound: readonly Service[]) {
  const root = makeScratch('bindings')
  for (const { name, credentials } of bound) {
    const type = name.includes('redis') ? 'redis' : 'postgresql'
    mkdirSync(join(root, name))
    for (const [field, value] of Object.entries({ type, ...(credentials as object) }))
      writeFileSync(join(root, name, field), String(value))
  }
  return { env: { PATH: process.env.PATH, SERVICE_BINDING_ROOT: root }, cwd: makeScratch('bench') }
}

function withCounts(table: Table): Table {
  return Object.fromEntries(
    Object.entries(table).map(([count, cells]) => [`${Number(count).toLocaleString('en')} bound`, cells]),
  )
}
