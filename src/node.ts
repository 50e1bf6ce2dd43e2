import { main } from './cli/main.ts'
import { nodeHost } from './host/node.ts'

process.exitCode = main(nodeHost, process.argv.slice(2))
