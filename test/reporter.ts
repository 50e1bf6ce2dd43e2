import type { Reporter, TestCase } from 'vitest/node'

const SLOW_MILLISECONDS = 10_000

/**
 * Prints what a reader of the log should know of the tests that passed: those that were slow, that passed only when
 * they were tried again, or that were skipped, with the reason. The last line has the counts alone.
 */
export default class ClosingLine implements Reporter {
  readonly #counts = { passed: 0, failed: 0, skipped: 0 }
  readonly #slow: { readonly milliseconds: number; readonly name: string }[] = []
  readonly #triedAgain: string[] = []
  readonly #skipped: string[] = []

  onTestCaseResult(test: TestCase): void {
    const result = test.result()
    if (result.state === 'pending') return
    this.#counts[result.state]++
    const name = test.fullName
    // A test that the command line left out has no reason.
    if (result.state === 'skipped' && result.note !== undefined)
      this.#skipped.push(`skipped: ${name}: ${result.note}`)
    const { duration = 0, retryCount = 0 } = test.diagnostic() ?? {}
    if (duration > SLOW_MILLISECONDS) this.#slow.push({ milliseconds: duration, name })
    if (result.state === 'passed' && retryCount > 0) this.#triedAgain.push(`tried again: ${name}`)
  }

  onTestRunEnd(_modules: unknown, errors: readonly unknown[]): void {
    const { passed, failed, skipped } = this.#counts
    const slow = this.#slow
      .toSorted((a, b) => b.milliseconds - a.milliseconds)
      .map(({ milliseconds, name }) => `slow: ${(milliseconds / 1000).toFixed(1)} s: ${name}`)
    const tail = skipped === 0 ? '' : `, ${skipped} skipped`
    const counts = `${passed} passed, ${failed + errors.length} failed${tail}`
    process.stdout.write(`${[...slow, ...this.#triedAgain, ...this.#skipped, counts].join('\n')}\n`)
  }
}
