import { defineConfig } from 'vitest/config'

// Real servers start in these; the machine may be small.
const slow = ['test/php/**/*.test.ts', 'test/lab/**/*.test.ts', 'test/e2e/**/*.test.ts']

export default defineConfig({
  test: {
    reporters: ['default', './test/reporter.ts'],
    maxWorkers: 2,
    projects: [
      { test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: slow } },
      { test: { name: 'real', include: slow, testTimeout: 120_000, hookTimeout: 180_000 } },
    ],
  },
})
