import { expect, test } from 'vitest'
import { nodeHost } from '../../src/host/node.ts'

test.each([1, 1 / 3, 0.0001])('a program may have any number of seconds: %d', (limitSeconds) => {
  expect(nodeHost.run({ file: 'sleep', args: ['60'], stdin: '', limitSeconds }).status).toBe(137)
})
