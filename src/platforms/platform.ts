import type { Host } from '../host/host.ts'

/** The platform that runs the app; scripts read `id`. */
export interface Platform {
  readonly id: 'cloudfoundry' | 'cnb' | 'platformsh' | 'heroku' | 'kubernetes' | 'container' | 'local'
  readonly title: string
  /** How it was recognised. */
  readonly from: string
}

/** Variables that only one platform sets. The most specific come first: Cloud Foundry's apps may run on Kubernetes. */
const BY_VARIABLE: readonly (readonly [variable: string, Platform['id'], title: string])[] = [
  ['VCAP_APPLICATION', 'cloudfoundry', 'Cloud Foundry'],
  ['PLATFORM_RELATIONSHIPS', 'platformsh', 'Platform.sh or Upsun'],
  ['DYNO', 'heroku', 'Heroku'],
  ['CNB_PLATFORM_API', 'cnb', 'a Cloud Native Buildpacks image'],
  ['KUBERNETES_SERVICE_HOST', 'kubernetes', 'Kubernetes'],
]

/** Files that identify an image or a container engine. */
const BY_PATH: readonly (readonly [path: string, Platform['id'], title: string])[] = [
  ['/cnb/lifecycle', 'cnb', 'a Cloud Native Buildpacks image'],
  ['/.dockerenv', 'container', 'a container'],
  ['/run/.containerenv', 'container', 'a container'],
]

/** Recognises the platform that php-sessions runs on. */
export function recognisePlatform(host: Host): Platform {
  for (const [variable, id, title] of BY_VARIABLE)
    if (host.env[variable] !== undefined) return { id, title, from: `environment variable ${variable}` }
  for (const [path, id, title] of BY_PATH)
    if (host.isDirectory(path) || host.readBytes(path) !== undefined) return { id, title, from: path }
  return { id: 'local', title: 'a plain machine', from: 'no sign of a platform' }
}
