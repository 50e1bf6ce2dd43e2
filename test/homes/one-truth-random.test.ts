import { expect, test } from 'vitest'
import { showsCanary } from '../../lab/bindings.ts'
import { makeWatcher } from '../../src/watch/watch.ts'
import { worlds } from '../support/homes/random-worlds.ts'
import {
  type Saying,
  sayingOfDoctor,
  sayingOfStart,
  sayingOfWatcher,
  sayingsOfExplain,
} from '../support/homes/sayings.ts'
import { HOMES } from '../support/homes/worlds.ts'
import { fc, PROPERTY_RUNS } from '../support/properties.ts'

/** What the doctor says in other checks, which ask PHP. */
const OF_OTHER_CHECKS =
  /^\w+ (php\.(extension|missing|overridden)|framework\..*|encryption\.framework|(ini|exec)\..*|php\.silent(?=: php does)):/
const withoutSentinel = ({ findings, ...said }: Saying) => ({
  ...said,
  findings: findings.filter((finding) => !finding.startsWith('warn redis.sentinel')),
})

// A world costs some 20 ms.
const RUNS = Math.ceil(PROPERTY_RUNS / 5)
const HOURS = 3_600_000

test.each(Object.entries(HOMES))(
  'in %s start, explain, doctor and watch say the same of random worlds',
  (_name, home) => {
    fc.assert(
      fc.property(worlds, (world) => {
        const host = home.host(world)
        const said = sayingOfStart(host, home)
        const { err } = host.output
        expect(showsCanary(err)).toBe(false)
        const fails = said.findings.some((finding) => finding.startsWith('error'))
        const explained = sayingsOfExplain(() => home.host(world))
        const { sentence, ...facts } = said
        // A start that fails writes nothing; the plan may be whole all the same.
        const shown = fails ? { findings: said.findings } : facts
        const isManual = home.start[0] === 'ini'
        expect(explained.scripts).toMatchObject(shown)
        expect(explained.people).toMatchObject(isManual ? shown : { ...shown, sentence })
        if (!fails) expect(explained.scripts.settings).toEqual(said.settings)

        const doctor = sayingOfDoctor(home.host(world))
        expect([doctor.json.handler, doctor.json.store]).toEqual([
          explained.json.handler,
          explained.json.store,
        ])
        expect(doctor.said.settings).toEqual(explained.scripts.settings)
        expect(doctor.said.findings).toEqual(
          said.findings.filter((finding) => !OF_OTHER_CHECKS.test(finding)),
        )

        const watched = home.watched?.(host)
        if (watched === undefined || fails) return
        const before = new Map(host.files)
        makeWatcher(host, watched)()
        expect(host.files).toEqual(before)
        if (Object.keys(said.settings).length === 0 || world.php?.answers === false) return
        // Its home has PHP_SESSIONS_WATCH, which follows a master.
        const written = sayingOfWatcher(host, watched, home.ini)
        expect(withoutSentinel(written)).toEqual(withoutSentinel(said))
      }),
      { numRuns: RUNS },
    )
  },
  HOURS,
)

test(
  'with a PHP that answers, random worlds have the same settings in every home',
  () => {
    fc.assert(
      fc.property(worlds, (world) => {
        fc.pre(world.php?.answers === true)
        const all = Object.entries(HOMES).map(
          ([name, home]) => [name, sayingOfStart(home.host(world), home)] as const,
        )
        const works = all.filter(([, said]) => !said.findings.some((finding) => finding.startsWith('error')))
        for (const [name, { settings }] of works)
          expect([name, settings]).toEqual([name, works[0]?.[1].settings])
      }),
      { numRuns: 2 * RUNS },
    )
  },
  HOURS,
)
