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
export {
  areDisjoint,
  DEFAULT_LEVEL,
  type Interval,
  intervalSchema,
  studentInterval,
  undefinedInterval,
  wilsonInterval,
} from "./interval.ts";
export { mean, quantileSorted, standardError } from "./moments.ts";
export type { SeedSample } from "./seed-sample.ts";
