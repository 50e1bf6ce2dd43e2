import { readFileSync } from 'node:fs'
import { defineConfig, type Plugin } from 'vitest/config'

// Real servers start in these; the machine may be small.
const slow = ['test/php/**/*.test.ts', 'test/lab/**/*.test.ts', 'test/e2e/**/*.test.ts']

/** PHP files are imported as text, as esbuild's loader `text` does for the executable. */
const phpAsText: Plugin = {
  name: 'php-as-text',
  enforce: 'pre',
  load: (id) =>
    id.endsWith('.php') ? `export default ${JSON.stringify(readFileSync(id, 'utf8'))}` : undefined,
}

/** Against a hang only: a machine may be busy. */
const HANG_MILLISECONDS = 120_000

export default defineConfig({
  test: {
    reporters: ['default', './test/reporter.ts'],
    maxWorkers: 2,
    projects: [
      {
        plugins: [phpAsText],
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: slow,
          testTimeout: HANG_MILLISECONDS,
        },
      },
      {
        plugins: [phpAsText],
        // Dozens of servers on a machine that may be busy: once more before it counts, and the report says (retry x1).
        test: { name: 'real', include: slow, testTimeout: HANG_MILLISECONDS, hookTimeout: 180_000, retry: 1 },
      },
    ],
  },
})
