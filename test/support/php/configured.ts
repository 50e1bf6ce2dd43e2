import { fileURLToPath } from 'node:url'
import { type Service, vcapServices } from '../../../lab/bindings.ts'
import { makeScratch } from '../../../lab/processes/scratch.ts'
import type { AccessOptions } from '../../../lab/redis/options.ts'
import { renderIni } from '../../../src/core/formats/ini.ts'
import { prepare } from '../../../src/homes/home.ts'
import { machineHome } from '../../../src/homes/machine/home.ts'
import { writeFiles } from '../../../src/homes/write-files.ts'
import { nodeHost } from '../../../src/host/node.ts'
import type { Plan } from '../../../src/plan/plan.ts'
import { type PhpUnderTest, runPhp } from './php.ts'

/** What a start gives PHP: the ini text, with the lines that load extensions, and the plan behind it. */
export interface Configured {
  readonly ini: string
  readonly plan: Plan
}

/** Makes the ini text for a PHP with this service and environment, as a launch does; writes the files that it names. */
export function configure(
  { php, loadExtensions }: PhpUnderTest,
  service: Service,
  env: Readonly<Record<string, string>> = {},
): Configured {
  const host = { ...nodeHost, env: { ...env, VCAP_SERVICES: vcapServices(service) } }
  const { file, args } = php.cli(['-n', ...extensionArguments(loadExtensions)])
  const directory = makeScratch('configured')
  const home = machineHome(host, { app: '/nowhere', filesDirectory: directory })
  const { plan } = prepare({ ...home, php: { ...home.php, start: { command: [file, ...args], env: {} } } })
  writeFiles(host, plan.files)
  return { ini: loadExtensions(...plan.extensions) + renderIni(plan.directives), plan }
}

function extensionArguments(loadExtensions: PhpUnderTest['loadExtensions']): readonly string[] {
  const lines = loadExtensions('igbinary', 'msgpack', 'redis', 'memcached').trim().split('\n')
  return lines.flatMap((line) => ['-d', line])
}

const FUNCTIONS = fileURLToPath(new URL('../../../src/stores/handler/connection/tls.php', import.meta.url))

/**
 * How a server speaks TLS for phpredis' own handler on this PHP: as docs/compatibility.md advises for versions that may
 * wait without end in TLS 1.3, because phpredis 5 cannot be told to use TLS 1.2.
 */
export function tlsFor(php: Pick<PhpUnderTest, 'runPhp'>): Pick<AccessOptions, 'isTls12Only'> {
  const hangs = php.runPhp('', `require '${FUNCTIONS}'; echo (int) PhpSessions\\hangsInTls13();`)
  return { isTls12Only: hangs.toString() === '1' }
}

/** For the machine's PHP. */
export const tlsForOwn = () => tlsFor({ runPhp })
