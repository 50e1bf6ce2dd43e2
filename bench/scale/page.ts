import { fillBlocks, renderTable } from '../parts/page-blocks.ts'
import { mastersReached } from '../simulation/closed-forms.ts'
import { type App, MAX_CLIENTS, type Need, needOf, storeSeconds, USUAL } from './model.ts'
import { count, gigabytes, kilobytes, micro, milli, part, seconds } from './notation.ts'
import { pageCost, type ScaleResults } from './results.ts'
import { RESTART_SECONDS, SIZES } from './simulate.ts'

const RECOMMENDED: Readonly<Record<number, (need: Need) => string>> = {
  1: () => 'one server: Redis, Valkey or Memcached',
  10: () => 'one server; with Sentinels if it must not fail',
  100: () => 'one Redis with a replica, behind Sentinels',
  1000: ({ masters }) => `a Cluster of ${masters} masters; raise \`maxclients\``,
  10000: ({ masters }) => `ten cells of 1,000; one Cluster of ${masters} is unproven`,
}

/** The tables of docs/scale.md, by the names of their places there. */
export function tablesOf(results: ScaleResults): Readonly<Record<string, string>> {
  const appOf = (instances: number): App => ({ ...USUAL, instances })
  const needs = SIZES.map((instances) => ({ instances, need: needOf(appOf(instances), results) }))
  return {
    sizes: renderTable(
      ['instances', 'use', 'pages/s', 'sessions', 'their memory', 'connections', 'processors of the store'],
      needs.map(({ instances, need }) => [
        `**${count(instances)}**`,
        `**${RECOMMENDED[instances]?.(need)}**`,
        count(need.pagesPerSecond),
        count(need.sessions),
        gigabytes(need.sessionBytes),
        count(need.connections),
        need.processors.toFixed(need.processors < 1 ? 3 : 1),
      ]),
    ),
    connections: renderTable(
      ['instances', 'connections of each master', 'of 10,000', 'their memory', 'all connect again, TLS'],
      needs.map(({ instances, need }) => [
        count(instances),
        count(need.connections),
        part(need.connections / MAX_CLIENTS),
        gigabytes(need.connectionBytes),
        seconds(need.connectSeconds),
      ]),
    ),
    pages: renderTable(
      ['managed handler, TLS', 'store µs a page', 'rounds', 'PHP µs', 'pages/s of a processor'],
      [...results.pages, ...results.clusters]
        .filter(({ tls, handler }) => tls && handler === 'managed')
        .map((one) => [
          `${one.masters === 1 ? 'one server' : `${one.masters} masters`}, ${one.workers} workers, ${one.kilobytes} KB`,
          micro(one.storeMicroseconds),
          one.storeSpread.map(micro).join('-'),
          micro(one.phpMicroseconds),
          count(Math.round(1e6 / one.storeMicroseconds / 10) * 10),
        ]),
    ),
    handlers: renderTable(
      ['8 workers, 1 KB', 'store µs a page', 'rounds'],
      [...results.pages, ...results.clusters]
        .filter(({ workers, kilobytes: size }) => workers === 8 && size === 1)
        .map((one) => [
          `${one.handler}, ${one.masters === 1 ? 'one server' : `${one.masters} masters`}${one.tls ? ', TLS' : ''}`,
          micro(one.storeMicroseconds),
          one.storeSpread.map(micro).join('-'),
        ]),
    ),
    masters: renderTable(
      ['masters, workers', 'connections of each master', 'arithmetic', 'part of the busiest', 'even'],
      [...results.pages, ...results.clusters]
        .filter(({ masters, tls, handler }) => masters > 1 && !tls && handler === 'managed')
        .map((one) => [
          `${one.masters}, ${one.workers}`,
          one.connections.join(', '),
          // 300 visitors are made, then five rounds and one more of 1200 pages, spread over the workers.
          Math.round(
            (one.workers * mastersReached(one.masters, 7500 / one.workers)) / one.masters,
          ).toString(),
          part(one.largestShare),
          part(1 / one.masters),
        ]),
    ),
    memory: renderTable(
      ['connections that wait', 'count', 'Redis counts', 'of the process', 'processor, all of them'],
      [...results.workers, ...results.connections].map((one) => [
        `${one.what === 'workers' ? 'workers of php-fpm' : 'logged in, without PHP'}${one.tls ? ', TLS' : ''}`,
        count(one.count),
        kilobytes(one.bytes),
        kilobytes(one.residentBytes),
        part(one.idleMicroseconds / 1e6),
      ]),
    ),
    sessions: renderTable(
      ['data', 'on the master', 'on each replica', 'Memcached'],
      results.sessions.map((one) => [
        `${one.kilobytes} KB`,
        `${count(one.bytes)} B`,
        `${count(one.replicaBytes)} B`,
        `${count(results.memcached.sessionBytes[String(one.kilobytes)] ?? Number.NaN)} B`,
      ]),
    ),
    waits: renderTable(
      ['requests that wait', 'store µs, each second', 'commands, each second'],
      results.waits.map((one) => [
        `${one.waiting}, ${one.handler}`,
        micro(one.storeMicroseconds),
        one.commands.toFixed(1),
      ]),
    ),
    handshakes: renderTable(
      ['a new connection with its login', 'store µs', 'rounds', 'a second, with a whole processor'],
      results.handshakes.map((one) => [
        one.protocol === 'plain' ? 'without TLS' : one.protocol.replace('v', ' '),
        micro(one.storeMicroseconds),
        one.storeSpread.map(micro).join('-'),
        count(Math.round(1e6 / one.storeMicroseconds / 10) * 10),
      ]),
    ),
    restart: renderTable(
      ['workers at once', 'store µs each', 'the next page', 'status 503'],
      results.restart.map((one) => [
        `${one.workers}${one.tls ? ', TLS' : ''}`,
        micro(one.storeMicroseconds),
        micro(one.laterMicroseconds),
        `${one.failed} of ${one.pages}`,
      ]),
    ),
    memcached: renderTable(
      ['Memcached', ''],
      [
        ['µs of its processors, a page, managed', micro(results.memcached.managedMicroseconds)],
        ['the same, native', micro(results.memcached.nativeMicroseconds)],
        [
          `bytes of a connection, of ${count(results.memcached.connections)}`,
          count(results.memcached.connectionBytes),
        ],
        ['connections that it takes by default', count(results.memcached.maxConnections)],
        ['threads by default', count(results.memcached.threads)],
      ],
    ),
    simulated: renderTable(
      [
        'instances, masters',
        'load, arithmetic',
        'simulated',
        'session p50',
        'p99',
        'waits for a worker',
        'in bursts',
      ],
      needs.map(({ instances, need }) => {
        const [calm, bursts] = [false, true].map((is) =>
          results.simulation.sites.find((site) => site.instances === instances && site.bursts === is),
        )
        return [
          `${count(instances)}, ${need.masters}`,
          part(need.processors / need.masters),
          part(calm?.storeLoad ?? Number.NaN),
          milli(calm?.sessionP50),
          milli(calm?.sessionP99),
          part(calm?.waitedForWorker ?? Number.NaN),
          part(bursts?.waitedForWorker ?? Number.NaN),
        ]
      }),
    ),
    restarts: renderTable(
      [
        ...['instances', 'pages/s of a master', 'connecting takes'],
        ...[511, 65_535].flatMap((backlog) => [`refused, ${count(backlog)} may wait`, 'for']),
      ],
      needs.map(({ instances, need }) => {
        const rate = need.pagesPerSecond / need.masters
        const cells = results.simulation.restarts
          .filter((one) => one.instances === instances)
          .flatMap(({ refused, recoveredAfter }) => [
            part(refused === 0 ? 0 : refused / (rate * (recoveredAfter ?? RESTART_SECONDS))),
            recoveredAfter === null ? `${RESTART_SECONDS} s and on` : seconds(recoveredAfter),
          ])
        return [count(instances), count(rate), seconds(need.connectSeconds), ...cells]
      }),
    ),
    assumed: assumed(results),
    ...sentencesOf(results),
  }
}

/** Sentences with numbers in them. */
function sentencesOf({ workers, slots, turns, signatures }: ScaleResults): Readonly<Record<string, string>> {
  const tls = workers.filter((one) => one.tls).at(-1)
  const hidden = kilobytes((tls?.residentBytes ?? Number.NaN) - (tls?.bytes ?? Number.NaN))
  const [three, six] = slots.map((one) => micro(one.microseconds))
  const pages = turns.reduce((sum, one) => sum + one, 0)
  return {
    hidden: `**A TLS connection takes ${hidden} that Redis does not count**: OpenSSL allocates them, and neither \`used_memory\` nor \`maxmemory\` sees them.\nLeave room for it beside \`maxmemory\`.`,
    slots: `That is ${three} µs of one master's processor with 3 masters, ${six} with 6.`,
    turns: `Of ${pages} pages, one after the other, each of ${turns.length} workers served ${turns[0]} to ${turns.at(-1)}.`,
    signatures: `The server's certificate had an ECDSA key. With an RSA key of 2,048 bits a signature takes ${micro(signatures.rsa2048)} µs in place of ${micro(signatures.ecdsaP256)}.`,
  }
}

function assumed(results: ScaleResults): string {
  const {
    workers,
    pagesPerSecond,
    pageSeconds,
    pagesPerVisit,
    visitSeconds,
    lifetimeSeconds,
    kilobytes: size,
  } = USUAL
  return [
    `- **An instance** has ${workers} workers and serves ${pagesPerSecond} pages with a session a second, of ${pageSeconds * 1000} ms each.`,
    `- **A visit** is ${pagesPerVisit} pages in ${visitSeconds / 60} minutes; its session lives for ${lifetimeSeconds / 60} minutes more and has ${size} KB.`,
    `- **The store** is asked over TLS: ${micro(storeSeconds(USUAL, results) * 1e6)} µs of its processor for a page.`,
    `- **Measured** ${results.machine.date} with ${results.machine.php}, Redis ${results.machine.redis}, ${results.machine.processor}.`,
    `  ${pageCost(results, {}).workers} workers unless the table says otherwise.`,
  ].join('\n')
}

/** Puts each table between the marks with its name. */
export function fillPage(page: string, tables: Readonly<Record<string, string>>): string {
  const missing = new Set(Object.keys(tables))
  const filled = fillBlocks(page, 'scale', (name) => {
    missing.delete(name)
    const table = tables[name]
    if (table === undefined) throw new Error(`there is no table called ${name}`)
    return table
  })
  if (missing.size > 0) throw new Error(`the page has no place for ${[...missing].join(', ')}`)
  return filled
}
