import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { ARM64, emulatorUnavailable } from '../support/arm64.ts'
import { BUNDLE, EXECUTABLE } from '../support/homes/cloudfoundry.ts'
import { HOST_FIXTURES, runOn } from '../support/host/host-fixtures.ts'

// The executable for arm64 runs in an emulator here, never on a real processor. `exec --watch` cannot: it starts
// /proc/self/exe, which is the emulator.

test('the executable for arm64 is tried in an emulator', ({ skip }) => {
  skip(emulatorUnavailable !== undefined, emulatorUnavailable)
  if (ARM64 === undefined) throw new Error('there is no executable for arm64: run scripts/package')
  const elf = readFileSync(ARM64[1])
  expect(elf.readUInt16LE(18)).toBe(183)
  expect(elf.length).toBeLessThan(1_400_000)
  expect(elf.includes(process.cwd())).toBe(false)
})

describe.runIf(ARM64)('on arm64, emulated', () => {
  const command = ARM64 ?? ['false']

  test.each(Object.entries(HOST_FIXTURES))(
    'it prints the same as the others, byte for byte: %s',
    (_, fixture) => {
      expect(runOn(command, fixture)).toEqual(runOn([process.execPath, BUNDLE], fixture))
    },
  )

  const exec = ([file, ...before]: readonly [string, ...string[]], script: string) =>
    spawnSync(file, [...before, 'exec', '--', 'sh', '-c', script], { encoding: 'utf8' })
  const seen = ({ status, signal, stdout, stderr }: SpawnSyncReturns<string>) => ({
    status,
    signal,
    stdout,
    stderr,
  })

  test.each([
    'true',
    'exit 7',
    'kill -9 $$',
    'trap "echo caught; exit 9" TERM; kill -TERM $PPID; while :; do sleep 0.1; done',
  ])('exec ends as its command does: %s', (script) => {
    expect(seen(exec(command, script))).toEqual(seen(exec([EXECUTABLE], script)))
  })
})
