import { main } from './cli/main.ts'
import { quickjsHost } from './host/quickjs.ts'
import * as std from 'std'

std.exit(main(quickjsHost, scriptArgs.slice(1)))
