/**
 * Share of instances with a property, where a puzzle can hold any number of instances: sum of hits / sum of totals.
 * Over seeds: t over the seeds' shares. With one seed: t over puzzles of the linearised ratio (Cochran 1977, 6.4), which
 * treats the instances of one text as one cluster.
 */
import { studentQuantile } from "./distributions.ts";
import type { Estimate } from "./estimate.ts";
import { DEFAULT_LEVEL, type Interval, studentInterval, undefinedInterval } from "./interval.ts";
import { mean } from "./moments.ts";

/** Instances of one seed: `hits[i]` of `totals[i]` in the i-th cluster (puzzle). */
export interface SumSample {
  readonly seed: number;
  readonly hits: readonly number[];
  readonly totals: readonly number[];
}

/** Mean over seeds of the seed's share; seeds without an instance are left out. */
export function estimateShareOfSums(samples: readonly SumSample[]): Estimate {
  const measured = samples.filter((sample) => sum(sample.totals) > 0);
  const bySeed = measured.map(({ seed, hits, totals }) => ({
    seed,
    value: sum(hits) / sum(totals),
  }));
  if (bySeed.length === 0) {
    const reason = "there is no instance";
    return { value: null, bySeed, interval: undefinedInterval(reason), seedLevelMissing: reason };
  }
  const values = bySeed.map((entry) => entry.value);
  const overSeeds = studentInterval(values, { over: "seeds", range: [0, 1] });
  const value = mean(values);
  if (overSeeds.kind === "interval") {
    return { value, bySeed, interval: overSeeds, seedLevelMissing: null };
  }
  return { value, bySeed, interval: linearised(measured), seedLevelMissing: overSeeds.reason };
}

/** t interval of the ratio of sums over all clusters of all seeds. */
function linearised(samples: readonly SumSample[]): Interval {
  const hits = samples.flatMap((sample) => sample.hits);
  const totals = samples.flatMap((sample) => sample.totals);
  const n = hits.length;
  if (n < 2) return undefinedInterval("an interval over puzzles needs at least two of them");
  const all = sum(totals);
  const share = sum(hits) / all;
  let squares = 0;
  for (let i = 0; i < n; i += 1) {
    squares += ((hits[i] as number) - share * (totals[i] as number)) ** 2;
  }
  const error = Math.sqrt((n / (n - 1)) * squares) / all;
  if (error === 0) {
    return undefinedInterval("every puzzle gave the same share, so the spread cannot be estimated");
  }
  const half = studentQuantile(0.5 + DEFAULT_LEVEL / 2, n - 1) * error;
  return {
    kind: "interval",
    lower: Math.max(0, share - half),
    upper: Math.min(1, share + half),
    level: DEFAULT_LEVEL,
    method: "t of a ratio",
    over: "puzzles",
  };
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
