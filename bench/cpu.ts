import { readdirSync, readFileSync } from 'node:fs'

/** The processor time that a process and all below it have used, in milliseconds; of those that live now. */
export function cpuMilliseconds(pid: number): number {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) && /^PPid:\s*(\d+)/m.exec(read(`/proc/${name}/status`))?.[1]
    if (parent) parents.set(Number(name), Number(parent))
  }
  const isBelow = (one: number | undefined): boolean =>
    one !== undefined && (one === pid || isBelow(parents.get(one)))
  const used = [...parents.keys()].filter(isBelow).map((one) => read(`/proc/${one}/schedstat`).split(' ')[0])
  return used.reduce((sum, nanoseconds) => sum + Number(nanoseconds) / 1e6, 0)
}

/** Nothing for a process that has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
