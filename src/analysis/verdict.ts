/**
 * From estimates to verdicts. The rules are fixed here, before any run, and are the same for every study:
 *
 * | kind | holds | fails |
 * |---|---|---|
 * | ratio at least T | estimate >= T and the arms' intervals are disjoint | the ratio's interval lies below T |
 * | share at least T | the interval lies at or above T | the interval lies below T |
 * | within M points | the difference's interval lies inside [-M, M] | it lies outside |
 * | no better, margin M | the difference's interval reaches 0 or less and ends below M | it lies above 0 |
 * | clearly above | the difference's interval lies above 0 | it lies below 0 |
 *
 * Anything else is undecided. Without an estimate it is not measured.
 */
import type { Verdict } from "./comparison-schema.ts";
import { areDisjoint, type Estimate, type Interval } from "./stats/index.ts";

/** Rule of "a is at least `threshold` times b". A zero `b` is exceeded by any positive `a`. */
export function judgeRatio(a: Estimate, b: Estimate, ratio: Interval, threshold: number): Verdict {
  if (a.value === null || b.value === null) return "not measured";
  // A ratio of exactly the threshold must not be missed by the last bit of the product.
  const reached = a.value > 0 && a.value >= threshold * b.value * (1 - 1e-12);
  if (reached && areDisjoint(a.interval, b.interval)) return "holds";
  return ratio.kind === "interval" && ratio.upper < threshold ? "fails" : "undecided";
}

/** Rule of "a is at least `threshold`". */
export function judgeShare(a: Estimate, threshold: number): Verdict {
  if (a.value === null) return "not measured";
  return byInterval(a.interval, {
    holds: (interval) => interval.lower >= threshold,
    fails: (interval) => interval.upper < threshold,
  });
}

/** Rule of "a is within `margin` of b", from the difference a - b. */
export function judgeWithin(difference: Estimate, margin: number): Verdict {
  if (difference.value === null) return "not measured";
  return byInterval(difference.interval, {
    holds: ({ lower, upper }) => lower >= -margin && upper <= margin,
    fails: ({ lower, upper }) => lower > margin || upper < -margin,
  });
}

/** Rule of "a is no better than b" up to `margin`, from the difference a - b. */
export function judgeNoBetter(difference: Estimate, margin: number): Verdict {
  if (difference.value === null) return "not measured";
  return byInterval(difference.interval, {
    holds: ({ lower, upper }) => lower <= 0 && upper < margin,
    fails: ({ lower }) => lower > 0,
  });
}

/** Rule of "a is clearly above b", from the difference a - b. */
export function judgeAbove(difference: Estimate): Verdict {
  if (difference.value === null) return "not measured";
  return byInterval(difference.interval, {
    holds: ({ lower }) => lower > 0,
    fails: ({ upper }) => upper < 0,
  });
}

interface Rule {
  readonly holds: (interval: { lower: number; upper: number }) => boolean;
  readonly fails: (interval: { lower: number; upper: number }) => boolean;
}

function byInterval(interval: Interval, rule: Rule): Verdict {
  if (interval.kind === "undefined") return "undecided";
  if (rule.holds(interval)) return "holds";
  return rule.fails(interval) ? "fails" : "undecided";
}
