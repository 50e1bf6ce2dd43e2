import { main } from './cli/main.ts'
import { nodeHost } from './host/node.ts'

process.exitCode = await main(nodeHost, process.argv.slice(2))
