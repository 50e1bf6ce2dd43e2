import { writeFileSync } from 'node:fs'
import { RESULTS, readResults } from './scale/results.ts'
import { simulate } from './scale/simulate.ts'

// What 1 to 10,000 instances make of their store, by what bench/scale.ts has measured: written beside it into
// bench/results/scale.json. The same numbers each time.

const results = readResults()
const simulation = simulate(results)
for (const one of [...simulation.sites, ...simulation.restarts]) console.log(JSON.stringify(one))
writeFileSync(RESULTS, `${JSON.stringify({ ...results, simulation }, undefined, 1)}\n`)
