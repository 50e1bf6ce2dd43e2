import fc from 'fast-check'

/** How many values a property is tried with: a few hundred, or the number in PROPERTY_RUNS: 60 in `npm run check`, 10000 at night. */
export const PROPERTY_RUNS = Number(process.env.PROPERTY_RUNS ?? 300)

// The same values in each run, so that a failure means that something was changed. Another PROPERTY_SEED tries others.
fc.configureGlobal({ seed: Number(process.env.PROPERTY_SEED ?? 1), numRuns: Math.min(PROPERTY_RUNS, 100) })

export { default as fc } from 'fast-check'
