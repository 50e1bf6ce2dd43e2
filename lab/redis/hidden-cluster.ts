import { connect, createServer } from 'node:net'
import { freePorts } from '../processes/ports.ts'
import { until } from '../processes/until.ts'
import { addSlots } from './cluster.ts'
import type { AccessOptions, Redis } from './options.ts'
import { startRedis } from './server.ts'

/** A cluster behind one address, as some hosters' proxies are. */
export interface HiddenCluster {
  readonly host: string
  readonly port: number
  /** The node behind it. */
  readonly node: Redis
  stop(): Promise<void>
}

/**
 * Starts a cluster of one node behind a proxy that hides it: the node says that it stands alone and knows no CLUSTER, but
 * refuses commands whose keys are in several slots (CROSSSLOT).
 */
export async function startHiddenCluster(options: AccessOptions): Promise<HiddenCluster> {
  const node = await startRedis({ ...options, cluster: true })
  addSlots(node, 0, 16384)
  await until('the cluster to be whole', () => /cluster_state:ok/.test(node.cli('CLUSTER', 'INFO')))
  const change = (from: RegExp, to: string) => (bytes: Buffer) =>
    Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1')
  const hideCommand = change(/(?<=\$7\r\n)CLUSTER(?=\r\n)/gi, 'CLUSTRX')
  const hideMode = (bytes: Buffer) =>
    change(/redis_mode:cluster/g, 'redis_mode:standal')(change(/(?<=cluster_enabled:)1/g, '0')(bytes))
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: node.port, host: '127.0.0.1', noDelay: true })
    client.on('data', (bytes) => upstream.write(hideCommand(bytes)))
    upstream.on('data', (bytes) => client.write(hideMode(bytes)))
    client.on('close', () => upstream.destroy()).on('error', () => {})
    upstream.on('close', () => client.destroy()).on('error', () => {})
  })
  const [port = 0] = await freePorts(1)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    host: '127.0.0.1',
    port,
    node,
    stop: async () => {
      await node.stop()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
