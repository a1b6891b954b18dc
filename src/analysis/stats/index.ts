/** Statistics of the laboratory: moments, distributions, intervals, bootstrap, and estimates over seeds. */
export { bootstrapInterval } from "./bootstrap.ts";
export { normalQuantile, studentCdf, studentQuantile } from "./distributions.ts";
export {
  type Estimate,
  estimateDifference,
  estimateMean,
  estimateRatio,
  estimateSchema,
  logRatioInterval,
} from "./estimate.ts";
export { holmAdjust } from "./holm.ts";
export {
  areDisjoint,
  DEFAULT_LEVEL,
  type Interval,
  intervalSchema,
  studentInterval,
  undefinedInterval,
  wilsonInterval,
} from "./interval.ts";
export { fitLogistic, oddsRatioOf } from "./logistic.ts";
export { mantelHaenszel, type StratumTable } from "./mantel-haenszel.ts";
export { mean, quantileSorted, standardError } from "./moments.ts";
export { pairedTest } from "./paired-test.ts";
export { passAtK } from "./pass-at-k.ts";
export type { SeedSample } from "./seed-sample.ts";
export { estimateShareOfSums } from "./share-of-sums.ts";
