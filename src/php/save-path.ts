const SERVER = /^(?:[a-z][\w.+-]*:\/\/)?(?:(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)*|(?=\/))(?:\/[\w./-]*)?$/i

/**
 * A save_path for people. If it may have a password, only certain servers are shown: a password in clear may contain
 * the characters that end it elsewhere, a comma or a blank. See also probes/prelude.php.
 */
export function describeSavePath(path: string): string {
  if (path === '') return 'its default place'
  if (!/[?@&]/.test(path)) return path
  const seeds = [...path.matchAll(/(?:^|[?&])seed(?:\[[^\]]*\]|%5B[^=]*)=([^&]*)/gi)].map(
    ([, seed = '']) => seed,
  )
  const [before = ''] = path.split('?')
  const shown = seeds.length > 0 ? seeds : before.slice(before.lastIndexOf('@') + 1).split(/[,\s]+/)
  return shown.filter((server) => SERVER.test(server)).join(', ') || 'a server'
}
