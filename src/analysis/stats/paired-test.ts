/**
 * Two-sided paired t test of a difference: over the seeds' mean differences, or, with one seed or with seeds that agree
 * exactly, over puzzles. The same choice of unit as `estimateDifference`, so that test and interval speak of one thing.
 */
import { studentCdf } from "./distributions.ts";
import type { IntervalUnit } from "./interval.ts";
import { mean, standardError } from "./moments.ts";
import {
  differences,
  pairSamples,
  poolPuzzles,
  type SeedSample,
  seedMeans,
} from "./seed-sample.ts";

export interface PairedTest {
  /** Null when there is no spread to test against, or nothing that both arms have. */
  readonly pValue: number | null;
  readonly over: IntervalUnit | null;
  /** Seeds, and puzzles that a seed has on average, that both arms have. */
  readonly seeds: number;
  readonly puzzles: number;
}

/** Tests that the mean difference a - b is 0. */
export function pairedTest(a: readonly SeedSample[], b: readonly SeedSample[]): PairedTest {
  const paired = pairSamples(a, b);
  const apart = differences(paired.a, paired.b);
  const counts = apart.map((sample) => sample.values.length);
  const size = { seeds: apart.length, puzzles: counts.length === 0 ? 0 : Math.round(mean(counts)) };
  const overSeeds = studentP(seedMeans(apart).map((entry) => entry.mean));
  if (overSeeds !== null) return { pValue: overSeeds, over: "seeds", ...size };
  const overPuzzles = studentP(poolPuzzles(apart).values);
  return { pValue: overPuzzles, over: overPuzzles === null ? null : "puzzles", ...size };
}

function studentP(values: readonly number[]): number | null {
  const error = standardError(values);
  if (error === undefined || error === 0) return null;
  return 2 * studentCdf(-Math.abs(mean(values) / error), values.length - 1);
}
