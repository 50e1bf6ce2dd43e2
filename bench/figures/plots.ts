import type { Results } from '../benchmark.ts'
import { plotFaults } from './fault-plot.ts'
import { plotServices, plotSizes } from './growth-plots.ts'
import { plotContention, plotThroughput } from './handler-plots.ts'

/** The plots of docs/internals/figures.md, by the names of their files. */
export const PLOTS: Readonly<Record<string, (all: readonly Results[]) => string>> = {
  throughput: plotThroughput,
  contention: plotContention,
  sizes: plotSizes,
  services: plotServices,
  faults: plotFaults,
}
