import { expect, test } from 'vitest'
import { figureOf, findTable, ratioOf, readResults } from '../../bench/figures/results.ts'
import { readPage } from '../support/docs/pages.ts'

const results = readResults()

const ratioOfManaged = (name: string) =>
  ratioOf(findTable(results, name, 'throughput'), 'managed', 'native', 'requests/s')?.middle ?? Number.NaN
const middle = (name: string, table: string, row: string, what: string) =>
  figureOf(findTable(results, name, table)[row]?.[what])?.middle ?? Number.NaN
const costWithoutSession = (name: string) =>
  middle(name, 'throughput', 'no session, managed', 'PHP µs/page') -
  middle(name, 'throughput', 'no session', 'PHP µs/page')
const copying = (row: string) => middle('copy', 'copying', row, 'seconds')
const range = (figures: readonly number[], digits: number) =>
  [Math.min(...figures), Math.max(...figures)].map((figure) => figure.toFixed(digits)).join(' to ')

const ONE_REDIS = ['redis', 'redis-php8.4', 'valkey']
const ONE_MEMCACHED = ['memcached', 'memcached-php8.4']
const CLUSTERS = ['cluster', 'cluster-php8.4', 'cluster-valkey']
const FAR = ['redis-1ms', 'redis-5ms', 'memcached-1ms']
const COPIES = ['one Redis to one Redis', 'one Redis to a cluster of three masters']
const OTHER_COPIES = ['one Memcached to one Redis', 'files to one Redis']

/** Sentences that repeat figures of bench/results, and the figures. */
const SENTENCES: readonly (readonly [page: string, said: string])[] = [
  ['managed-handler', `serves ${range(ONE_REDIS.map(ratioOfManaged), 2)} times the requests`],
  ['managed-handler', `${range(ONE_MEMCACHED.map(ratioOfManaged), 2)} times with one Memcached`],
  ['managed-handler', `${range(CLUSTERS.map(ratioOfManaged), 2)} times on a cluster`],
  ['managed-handler', `serves ${ratioOfManaged('redis-1ms').toFixed(1)} times as many with Redis`],
  ['managed-handler', `and ${ratioOfManaged('memcached-1ms').toFixed(1)} times with Memcached`],
  [
    'managed-handler',
    `takes ${range([...ONE_REDIS, ...ONE_MEMCACHED, ...CLUSTERS, ...FAR].map(costWithoutSession), 0)} µs`,
  ],
  ['moving', `take [${range([...COPIES, ...OTHER_COPIES].map(copying), 0)} seconds]`],
  ['moving', `and ${copying('one Redis to one Redis, while serving').toFixed(0)} while the app serves`],
]

test.each(SENTENCES)('docs/%s.md: %s', (page, said) => {
  // Not toContain, which would print the page.
  expect(readPage(`docs/${page}.md`).replaceAll(/\s+/g, ' ').includes(said)).toBe(true)
})
