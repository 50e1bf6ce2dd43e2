import type { Environment, Services } from './lifecycle.ts'

const APP = {
  application_id: 'c2a1b6a0-0000-4000-8000-000000000001',
  application_name: 'shop',
  application_uris: ['shop.example.org'],
  name: 'shop',
  organization_name: 'lab',
  space_id: 'c2a1b6a0-0000-4000-8000-000000000002',
  space_name: 'dev',
  version: 'c2a1b6a0-0000-4000-8000-000000000003',
  limits: { disk: 1024, fds: 16384, mem: 512 },
}

/** The environment of every container, at staging and at run time; nothing of it comes from the machine. */
function containerEnvironment(services: Services, application: object): Environment {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'C.UTF-8',
    USER: 'vcap',
    MEMORY_LIMIT: '512m',
    VCAP_APPLICATION: JSON.stringify(application),
    VCAP_SERVICES: typeof services === 'string' ? services : JSON.stringify(services),
  }
}

export function stagingEnvironment(directory: string, services: Services = {}, env: Environment = {}) {
  const staging = { HOME: directory, TMPDIR: `${directory}/tmp`, CF_STACK: 'cflinuxfs4' }
  return merge(containerEnvironment(services, APP), staging, env)
}

/** A task is not an instance: it has neither a port nor an index. */
export function taskEnvironment(directory: string, services: Services = {}, env: Environment = {}) {
  return merge(containerEnvironment(services, APP), { HOME: directory }, env)
}

export interface InstanceFacts {
  readonly id: string
  readonly index: number
  readonly port: number
}

export function instanceEnvironment(
  directory: string,
  { id, index, port }: InstanceFacts,
  services: Services = {},
  env: Environment = {},
) {
  // In Cloud Foundry the launcher adds these four to VCAP_APPLICATION; the real one adds the same values again.
  const application = { ...APP, host: '0.0.0.0', instance_id: id, instance_index: index, port }
  const instance = {
    HOME: directory,
    PORT: String(port),
    INSTANCE_GUID: id,
    INSTANCE_INDEX: String(index),
    CF_INSTANCE_GUID: id,
    CF_INSTANCE_INDEX: String(index),
    CF_INSTANCE_IP: '127.0.0.1',
    CF_INSTANCE_INTERNAL_IP: '127.0.0.1',
    CF_INSTANCE_PORT: String(port),
    CF_INSTANCE_ADDR: `127.0.0.1:${port}`,
  }
  return merge(containerEnvironment(services, application), instance, env)
}

function merge(...layers: readonly Environment[]): Environment {
  const entries = Object.entries(Object.assign({}, ...layers) as Environment)
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}
