import { readdirSync, readFileSync } from 'node:fs'

/** The processor time that a process and its living descendants have used, in milliseconds. */
export function cpuMilliseconds(pid: number): number {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) && /^PPid:\s*(\d+)/m.exec(read(`/proc/${name}/status`))?.[1]
    if (parent) parents.set(Number(name), Number(parent))
  }
  const descends = (one: number | undefined): boolean =>
    one !== undefined && (one === pid || descends(parents.get(one)))
  const used = [...parents.keys()].filter(descends).map((one) => read(`/proc/${one}/schedstat`).split(' ')[0])
  return used.reduce((sum, nanoseconds) => sum + Number(nanoseconds) / 1e6, 0)
}

/** Empty for a process that has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
