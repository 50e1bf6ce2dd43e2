import type { Reporter, TestCase } from 'vitest/node'

/** Prints every skipped test with its reason, and the counts alone on the last line for whoever reads logs. */
export default class ClosingLine implements Reporter {
  readonly #counts = { passed: 0, failed: 0, skipped: 0 }
  readonly #skips: string[] = []

  onTestCaseResult(test: TestCase): void {
    const result = test.result()
    if (result.state === 'pending') return
    this.#counts[result.state]++
    if (result.state === 'skipped')
      this.#skips.push(`skipped: ${test.fullName}: ${result.note ?? 'no reason given'}`)
  }

  onTestRunEnd(_modules: unknown, errors: readonly unknown[]): void {
    const { passed, failed, skipped } = this.#counts
    const broken = failed + errors.length
    const tail = skipped === 0 ? '' : `, ${skipped} skipped`
    process.stdout.write(`${[...this.#skips, `${passed} passed, ${broken} failed${tail}`].join('\n')}\n`)
  }
}
