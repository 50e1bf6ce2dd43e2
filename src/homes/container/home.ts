import type { Host } from '../../host/host.ts'
import type { CompletePlan } from '../../php/complete.ts'
import type { Advice, Home, PhpCheck } from '../home.ts'
import { checkExtension, phpToScan } from '../own-directory.ts'
import { OUR_USER } from './workers.ts'

/** What is known of a container whose command runs under `exec`. */
export interface ContainerOptions {
  readonly app: string
  /** Where the files of a plan go, an absolute path. */
  readonly filesDirectory: string
  readonly php?: string
  /** Finds who reads the secrets. */
  readonly findReaders?: (completed: CompletePlan) => PhpCheck
}

/** Looks at the PHP of a container. If it gives no answer, or there is none, that is no error: the command may start another. */
export function containerHome(
  host: Host,
  { app, filesDirectory, php, findReaders = () => OUR_USER }: ContainerOptions,
): Home {
  return {
    host,
    appDirectory: app,
    php: phpToScan(host, app, php),
    filesDirectory,
    setsVariables: false,
    advice: ADVICE,
    check: (completed) => {
      const { findings, owner } = findReaders(completed)
      const extension = checkExtension(completed, (name) => ADVICE.getExtension(name, ''))
      return { findings: [...extension, ...findings], owner }
    },
  }
}

const ADVICE: Advice = {
  isManual: false,
  writeSettings: () =>
    'restart the container; its command must run under php-sessions exec, which writes the settings at every start',
  getExtension: (name) =>
    `in the Dockerfile: install-php-extensions ${name}, or pecl install ${name} and docker-php-ext-enable ${name}`,
}
