import type { Lane } from '../engine/lane.ts'

/** The last line of `explain`; without php-sessions, what php_buildpack does. */
export async function explain(lane: Lane): Promise<string> {
  const said = await lane.ask('explain')
  if (said !== undefined) return said.trimEnd().split('\n').at(-1) ?? ''
  return lane.options.way === 'files'
    ? 'Nothing is bound: each instance keeps its own sessions, on its own disk.'
    : lane.store?.kind === 'memcached'
      ? 'php_buildpack 4 has written PERSISTENT= into the save_path, which php-memcached 3 refuses: no page has a session.'
      : 'php_buildpack 4 has written the address and the password into the php.ini of the droplet.'
}
