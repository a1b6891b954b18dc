/**
 * Estimates with intervals: one arm's mean, the paired difference of two arms, and their ratio. Each prefers the
 * interval over seeds; where that is undefined (one seed, or seeds that all agree exactly) it falls back to an interval
 * over puzzles, which is labelled so and keeps the reason why the seed-level interval is missing.
 */
import { z } from "zod";
import { type BootstrapOptions, bootstrapInterval } from "./bootstrap.ts";
import { studentQuantile } from "./distributions.ts";
import {
  DEFAULT_LEVEL,
  type Interval,
  intervalSchema,
  studentInterval,
  undefinedInterval,
  wilsonInterval,
} from "./interval.ts";
import { mean, standardError } from "./moments.ts";
import {
  differences,
  pairSamples,
  poolPuzzles,
  type SeedSample,
  seedMeans,
} from "./seed-sample.ts";

export const estimateSchema = z.strictObject({
  /** Mean over seeds of the seed's value; null when nothing was measured or the value is not defined. */
  value: z.number().nullable(),
  /** Value of each seed. */
  bySeed: z.array(z.strictObject({ seed: z.number(), value: z.number() })),
  /** The interval to show: over seeds where that is defined, otherwise over puzzles; `over` says which. */
  interval: intervalSchema,
  /** Why there is no interval over seeds; null when there is one. */
  seedLevelMissing: z.string().nullable(),
  /** Hierarchical bootstrap beside it, for differences and ratios. */
  bootstrap: intervalSchema.optional(),
});
export type Estimate = z.infer<typeof estimateSchema>;

/** What kind of number is averaged: a `share` lies in [0, 1]; a `count` is any number. */
export type Quantity = "share" | "count";

/** Mean of one arm over its seeds, with a t interval over seed means or the puzzle-level fallback. */
export function estimateMean(samples: readonly SeedSample[], quantity: Quantity): Estimate {
  const means = seedMeans(samples);
  const bySeed = means.map(({ seed, mean: value }) => ({ seed, value }));
  if (bySeed.length === 0) return notMeasured();
  const values = bySeed.map((entry) => entry.value);
  const seedLevel = studentInterval(values, { over: "seeds", ...rangeOf(quantity) });
  return withFallback(mean(values), bySeed, seedLevel, () => puzzleInterval(samples, quantity));
}

/**
 * Difference a - b in the mean, paired by seed and puzzle: a t interval over the seeds' mean differences, with the
 * hierarchical bootstrap beside it, which also is the fallback for one seed.
 */
export function estimateDifference(
  a: readonly SeedSample[],
  b: readonly SeedSample[],
  options: BootstrapOptions,
): Estimate {
  const paired = pairSamples(a, b);
  const apart = differences(paired.a, paired.b);
  const bySeed = seedMeans(apart).map(({ seed, mean: value }) => ({ seed, value }));
  if (bySeed.length === 0) return notMeasured("the arms share no seed with common puzzles");
  const values = bySeed.map((entry) => entry.value);
  const problem = {
    arms: [apart],
    paired: true,
    statistic: ([m]: readonly number[]) => m as number,
  };
  const bootstrap = bootstrapInterval(problem, options);
  const seedLevel = studentInterval(values, { over: "seeds" });
  const estimate = withFallback(mean(values), bySeed, seedLevel, () =>
    bySeed.length === 1
      ? bootstrap
      : studentInterval(poolPuzzles(apart).values, { over: "puzzles" }),
  );
  return { ...estimate, bootstrap };
}

/**
 * Ratio of the means of two arms, a / b. Over seeds: t interval of log a - log b by the delta method with
 * Welch-Satterthwaite degrees of freedom. With one seed: bootstrap over the puzzles that both arms share.
 * The value is null when b is 0.
 */
export function estimateRatio(
  a: readonly SeedSample[],
  b: readonly SeedSample[],
  options: BootstrapOptions,
): Estimate {
  const [meansA, meansB] = [seedMeans(a), seedMeans(b)];
  if (meansA.length === 0 || meansB.length === 0) return notMeasured();
  const [valuesA, valuesB] = [meansA.map((m) => m.mean), meansB.map((m) => m.mean)];
  if (mean(valuesB) === 0) return notMeasured("the denominator is 0");
  const other = new Map(meansB.map((entry) => [entry.seed, entry.mean]));
  const bySeed = meansA.flatMap((entry) => {
    const below = other.get(entry.seed);
    return below === undefined || below === 0
      ? []
      : [{ seed: entry.seed, value: entry.mean / below }];
  });
  const pair = pairSamples(a, b);
  const samePairs = pair.a.length === a.length && pair.a.length === b.length;
  const problem = {
    arms: samePairs ? [pair.a, pair.b] : [a, b],
    paired: samePairs,
    statistic: ([x, y]: readonly number[]) => (x as number) / (y as number),
  };
  const bootstrap = bootstrapInterval(problem, options);
  const seedLevel = logRatioInterval(valuesA, valuesB);
  const value = mean(valuesA) / mean(valuesB);
  return { ...withFallback(value, bySeed, seedLevel, () => overPuzzles(bootstrap)), bootstrap };
}

/** t interval of log(mean a / mean b), each mean over seeds; Welch-Satterthwaite degrees of freedom. */
export function logRatioInterval(a: readonly number[], b: readonly number[]): Interval {
  const [errorA, errorB] = [standardError(a), standardError(b)];
  if (errorA === undefined || errorB === undefined) {
    return undefinedInterval(
      `an interval over seeds needs at least two of them in each arm, found ${a.length} and ${b.length}`,
    );
  }
  const [meanA, meanB] = [mean(a), mean(b)];
  if (meanA <= 0 || meanB <= 0) return undefinedInterval("a mean of 0 has no logarithm");
  const [partA, partB] = [(errorA / meanA) ** 2, (errorB / meanB) ** 2];
  if (partA + partB === 0) {
    return undefinedInterval("every seed gave the same value, so the spread cannot be estimated");
  }
  const df = (partA + partB) ** 2 / (partA ** 2 / (a.length - 1) + partB ** 2 / (b.length - 1));
  const half = studentQuantile(0.5 + DEFAULT_LEVEL / 2, df) * Math.sqrt(partA + partB);
  const center = Math.log(meanA / meanB);
  return {
    kind: "interval",
    lower: Math.exp(center - half),
    upper: Math.exp(center + half),
    level: DEFAULT_LEVEL,
    method: "log ratio t",
    over: "seeds",
  };
}

/** Wilson for yes/no values, one a puzzle; otherwise t over puzzle means. */
function puzzleInterval(samples: readonly SeedSample[], quantity: Quantity): Interval {
  const { values } = poolPuzzles(samples);
  const binary = quantity === "share" && values.every((value) => value === 0 || value === 1);
  if (!binary) return studentInterval(values, { over: "puzzles", ...rangeOf(quantity) });
  const successes = values.filter((value) => value === 1).length;
  return wilsonInterval(successes, values.length, { over: "puzzles" });
}

function rangeOf(quantity: Quantity): { range?: readonly [number, number] } {
  return quantity === "share" ? { range: [0, 1] } : {};
}

/** A bootstrap that drew seeds must not stand in for a puzzle-level interval. */
function overPuzzles(interval: Interval): Interval {
  if (interval.kind === "undefined" || interval.over === "puzzles") return interval;
  return undefinedInterval("seeds agree exactly, and no interval over puzzles was made");
}

function withFallback(
  value: number,
  bySeed: Estimate["bySeed"],
  seedLevel: Interval,
  fallback: () => Interval,
): Estimate {
  if (seedLevel.kind === "interval") {
    return { value, bySeed, interval: seedLevel, seedLevelMissing: null };
  }
  return { value, bySeed, interval: fallback(), seedLevelMissing: seedLevel.reason };
}

function notMeasured(reason = "nothing was measured"): Estimate {
  return { value: null, bySeed: [], interval: undefinedInterval(reason), seedLevelMissing: reason };
}
