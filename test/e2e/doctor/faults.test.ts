import { afterAll, describe, expect, test } from 'vitest'
import { FAULTS } from '../../support/doctor/faults.ts'
import { type Diagnosis, diagnose, run } from '../../support/doctor/machine.ts'

/** Catches hangs; on a quiet machine each fault is reported in less than five seconds. */
const LIMIT_MILLISECONDS = 15_000

const times: [milliseconds: number, fault: string][] = []

describe('reports the fault first, in time and without a secret, and no longer reports it once it is repaired', () => {
  test.each(Object.entries(FAULTS))('%s', async (name, { names, make }) => {
    const { machine, repair } = await make()
    const [broken, json] = await Promise.all([
      diagnose(machine, '--debug'),
      diagnose(machine, '--json', '--debug', '--strict'),
    ])
    expect(broken.first, broken.out + broken.err).toBe(names)
    expect(fixOf(broken)).toMatch(/\S/)
    expect(broken.milliseconds).toBeLessThan(LIMIT_MILLISECONDS)
    times.push([broken.milliseconds, name])

    const isError = /^ *✗ /m.test(broken.out)
    const found: readonly { readonly id: string }[] = JSON.parse(json.out).findings
    expect(found.find(({ id }) => id !== 'redis.tls13')?.id).toBe(names)
    expect([broken.status, json.status]).toEqual([isError ? 1 : 0, 1])
    const explained = await Promise.all([run(machine, ['explain']), run(machine, ['explain', '--json'])])
    for (const text of [broken, json, ...explained].flatMap(({ out, err }) => [out, err]))
      expect(text).not.toMatch(/c4n(&|%26|\\u0026)ry/i)

    const repaired = await diagnose(await repair(fixOf(broken)))
    expect(repaired.status, repaired.out).toBe(0)
    expect(repaired.first, repaired.out).not.toBe(names)
  })
})

afterAll(() => {
  const slowest = times.toSorted(([a], [b]) => b - a).slice(0, 3)
  process.stdout.write(`slowest: ${slowest.map(([time, name]) => `${name} ${time} ms`).join(', ')}\n`)
})

function fixOf({ out }: Diagnosis): string {
  return /\n +fix +(.*)\n/.exec(out)?.[1] ?? ''
}
