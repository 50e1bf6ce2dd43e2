import { readFileSync } from 'node:fs'
import { defineConfig, type Plugin } from 'vitest/config'
import { phpAsShipped } from './scripts/parts/php-as-shipped.ts'

// In these real servers start, and the machine may be small. The last ones search for seconds.
const slow = [
  'test/php/**/*.test.ts',
  'test/lab/**/*.test.ts',
  'test/e2e/**/*.test.ts',
  'test/model/**/lock-searches.test.ts',
]

/** Imports PHP and Lua files and NOTICE as text, as `scripts/build` does for the executable. */
const sourcesAsText: Plugin = {
  name: 'sources-as-text',
  enforce: 'pre',
  load: (id) => {
    const kind = /(?:\.(php|lua)|\/NOTICE)$/.exec(id)
    if (kind === null) return undefined
    const text = readFileSync(id, 'utf8')
    return `export default ${JSON.stringify(kind[1] === 'php' ? phpAsShipped(text) : text)}`
  },
}

/**
 * A try of a test that fails ends its servers while requests are on their way. It has said why, and is tried again: that
 * these requests have failed is nothing new.
 */
const isOfAnEndedServer = ({
  message,
  cause,
}: {
  readonly message: string
  readonly cause?: unknown
}): boolean => {
  const code = (cause as { readonly code?: string } | undefined)?.code ?? ''
  return message === 'fetch failed' && ['UND_ERR_SOCKET', 'ECONNRESET', 'ECONNREFUSED'].includes(code)
}

/** Only for tests that hang: a machine may be busy. */
const HANG_MILLISECONDS = 120_000

export default defineConfig({
  test: {
    reporters: ['default', './test/reporter.ts'],
    // Slow tests are listed once, by the second reporter.
    slowTestThreshold: HANG_MILLISECONDS,
    // One more than the smallest machine has cores: tests with servers wait for much of their time.
    maxWorkers: 3,
    onUnhandledError: (error) => !isOfAnEndedServer(error),
    projects: [
      {
        plugins: [sourcesAsText],
        test: {
          name: 'unit',
          // Tests without servers change nothing that another file sees, so they share the modules that they have imported.
          isolate: false,
          pool: 'threads',
          include: ['test/**/*.test.ts'],
          exclude: slow,
          testTimeout: HANG_MILLISECONDS,
        },
      },
      {
        plugins: [sourcesAsText],
        // Dozens of servers on a machine that may be busy: a test that fails is tried again, and the report names it.
        test: { name: 'real', include: slow, testTimeout: HANG_MILLISECONDS, hookTimeout: 180_000, retry: 1 },
      },
    ],
  },
})
