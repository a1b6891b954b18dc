/** Statistics of the laboratory: moments, distributions, intervals, bootstrap, and estimates over seeds. */

export type { BootstrapOptions, BootstrapProblem } from "./bootstrap.ts";
export { bootstrapInterval, DEFAULT_RESAMPLES } from "./bootstrap.ts";
export { normalCdf, normalQuantile, studentCdf, studentQuantile } from "./distributions.ts";
export {
  type Estimate,
  estimateDifference,
  estimateMean,
  estimateRatio,
  estimateSchema,
  logRatioInterval,
  type Quantity,
} from "./estimate.ts";
export {
  areDisjoint,
  type ConfidenceInterval,
  confidenceIntervalSchema,
  DEFAULT_LEVEL,
  type Interval,
  type IntervalOptions,
  intervalSchema,
  studentInterval,
  type UndefinedInterval,
  undefinedInterval,
  wilsonInterval,
} from "./interval.ts";
export { mean, quantileSorted, standardError, variance } from "./moments.ts";
export { pairSamples, poolPuzzles, type SeedSample, seedMeans } from "./seed-sample.ts";
