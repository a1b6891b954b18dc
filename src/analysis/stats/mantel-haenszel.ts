/**
 * Mantel-Haenszel estimates over strata (Mantel and Haenszel 1959): odds ratio with the variance of Robins, Breslow and
 * Greenland (1986), which holds for few large and for many small strata, and the difference of shares with its weights.
 * Rows are treated as independent; `logistic.ts` is the estimate that allows for clusters.
 */
import { normalQuantile } from "./distributions.ts";
import { DEFAULT_LEVEL, type Interval, undefinedInterval } from "./interval.ts";

/** One stratum: solved and not, with and without the habit. */
export interface StratumTable {
  readonly withSolved: number;
  readonly withUnsolved: number;
  readonly withoutSolved: number;
  readonly withoutUnsolved: number;
}

export interface MantelHaenszel {
  /** Null where it is 0, infinite or not defined. */
  readonly oddsRatio: number | null;
  readonly interval: Interval;
  /** Weighted mean over strata of (share solved with - share solved without); null without an informative stratum. */
  readonly difference: number | null;
  /** Strata that have completions both with and without. */
  readonly strata: number;
}

/** Pools the strata; those with only one kind of row say nothing and drop out by themselves. */
export function mantelHaenszel(tables: readonly StratumTable[]): MantelHaenszel {
  const sums = { R: 0, S: 0, PR: 0, PSQR: 0, QS: 0, weight: 0, difference: 0, strata: 0 };
  for (const table of tables) {
    const { withSolved: a, withUnsolved: b, withoutSolved: c, withoutUnsolved: d } = table;
    const n = a + b + c + d;
    if (a + b === 0 || c + d === 0) continue;
    const [R, S] = [(a * d) / n, (b * c) / n];
    const [P, Q] = [(a + d) / n, (b + c) / n];
    sums.R += R;
    sums.S += S;
    sums.PR += P * R;
    sums.PSQR += P * S + Q * R;
    sums.QS += Q * S;
    const weight = ((a + b) * (c + d)) / n;
    sums.weight += weight;
    sums.difference += weight * (a / (a + b) - c / (c + d));
    sums.strata += 1;
  }
  const { R, S, strata } = sums;
  const difference = sums.weight === 0 ? null : sums.difference / sums.weight;
  if (R === 0 || S === 0) {
    const reason = "no stratum has solved and unsolved completions both with and without the habit";
    return { oddsRatio: null, interval: undefinedInterval(reason), difference, strata };
  }
  const variance = sums.PR / (2 * R * R) + sums.PSQR / (2 * R * S) + sums.QS / (2 * S * S);
  const half = normalQuantile(0.5 + DEFAULT_LEVEL / 2) * Math.sqrt(variance);
  const center = Math.log(R / S);
  const interval: Interval = {
    kind: "interval",
    lower: Math.exp(center - half),
    upper: Math.exp(center + half),
    level: DEFAULT_LEVEL,
    method: "Mantel-Haenszel",
    over: "puzzles",
  };
  return { oddsRatio: R / S, interval, difference, strata };
}
