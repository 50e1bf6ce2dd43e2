import * as std from 'qjs:std'
import { main } from './cli/main.ts'
import { quickjsHost } from './host/quickjs.ts'

std.exit(await main(quickjsHost, scriptArgs.slice(1)))
