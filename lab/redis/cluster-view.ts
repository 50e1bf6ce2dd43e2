import type { Redis } from './options.ts'

/** A node of a cluster as one of them sees it. */
export interface SeenNode {
  readonly id: string
  readonly isMyself: boolean
  readonly isMaster: boolean
  /** First and last slots, as `CLUSTER NODES` writes them; empty for a replica. */
  readonly ranges: readonly string[]
  /** What all nodes should see alike. */
  readonly summary: string
}

/** Asks a node for the nodes that it knows. */
export function readView(node: Redis): SeenNode[] {
  return node.cli('CLUSTER', 'NODES').trim().split('\n').map(readLine)
}

export function isIn(slot: number, ranges: readonly string[]): boolean {
  return ranges.some((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return first <= slot && slot <= last
  })
}

/** Whether each slot has an owner among these nodes, all nodes agree on it, and the replicas are up to date. */
export function isWhole(nodes: readonly Redis[]): boolean {
  const views = nodes.map(readView)
  const ids = views.map((view) => view.find(({ isMyself }) => isMyself)?.id)
  const isHere = ({ id }: SeenNode) => ids.includes(id)
  const summaries = views.map((view) => view.filter(isHere).map(({ summary }) => summary))
  return (
    views.every((view) => view.every((seen) => isHere(seen) || seen.ranges.length === 0)) &&
    new Set(summaries.map((lines) => lines.sort().join('\n'))).size === 1 &&
    nodes.every((node) => node.cli('CLUSTER', 'INFO').includes('cluster_state:ok')) &&
    nodes.every((node) => !node.cli('INFO', 'replication').includes('master_link_status:down'))
  )
}

function readLine(line: string): SeenNode {
  const [id = '', , flags = '', master = '', , , , , ...slots] = line.split(' ')
  const ranges = slots.filter((range) => !range.startsWith('['))
  return {
    id,
    isMyself: flags.includes('myself'),
    isMaster: flags.includes('master'),
    ranges,
    summary: [id, flags.replace('myself,', ''), master, ...ranges].join(' '),
  }
}
