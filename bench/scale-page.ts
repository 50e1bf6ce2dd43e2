import { readFileSync, writeFileSync } from 'node:fs'
import { fillPage, tablesOf } from './scale/page.ts'
import { readResults } from './scale/results.ts'

// Writes the tables of docs/scale.md from bench/results/scale.json.

const PAGE = 'docs/scale.md'
writeFileSync(PAGE, fillPage(readFileSync(PAGE, 'utf8'), tablesOf(readResults())))
