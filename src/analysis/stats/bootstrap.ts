/**
 * Hierarchical percentile bootstrap: draw seeds with replacement, then puzzles with replacement.
 *
 * Where every seed was measured on the same puzzles (the usual case here) one draw of puzzles is shared by all drawn
 * seeds, because a hard puzzle is hard for every seed; drawing them apart would treat that shared part as independent
 * noise (the pigeonhole bootstrap of Owen 2007). Otherwise puzzles are drawn apart within each drawn seed.
 * With three seeds the percentile interval is too narrow where seeds differ much (measured coverage is in
 * docs/methods/statistics.md); verdicts therefore rest on the t intervals, and the bootstrap is reported beside them.
 */
import type { Random } from "../../random/random.ts";
import { DEFAULT_LEVEL, type Interval, type IntervalUnit, undefinedInterval } from "./interval.ts";
import { quantileSorted } from "./moments.ts";
import type { SeedSample } from "./seed-sample.ts";

/** Resamples of every bootstrap unless said otherwise: Monte Carlo error of an end is about 2 % of the width. */
export const DEFAULT_RESAMPLES = 4000;

export interface BootstrapOptions {
  readonly random: Random;
  readonly resamples?: number;
  readonly level?: number;
}

/** Several arms with the same seeds and puzzles, and what is computed from their means. */
export interface BootstrapProblem {
  /** Arms; equal draws of seeds and puzzles are applied to all of them when `paired`, separate ones otherwise. */
  readonly arms: readonly (readonly SeedSample[])[];
  readonly paired: boolean;
  readonly statistic: (means: readonly number[]) => number;
}

/**
 * Interval of `statistic` over seeds (two or more seeds in every arm) or, with one seed, over puzzles.
 * Undefined when an arm has no values or when more than 1 % of the resamples give no finite number.
 */
export function bootstrapInterval(problem: BootstrapProblem, options: BootstrapOptions): Interval {
  const { arms, statistic } = problem;
  if (arms.some((arm) => arm.length === 0 || arm.some((sample) => sample.values.length === 0))) {
    return undefinedInterval("an arm has no values");
  }
  const resamples = options.resamples ?? DEFAULT_RESAMPLES;
  const level = options.level ?? DEFAULT_LEVEL;
  const over: IntervalUnit = arms.every((arm) => arm.length > 1) ? "seeds" : "puzzles";
  const draws = new Float64Array(resamples);
  const means = arms.map(() => 0);
  const plans = arms.map((arm) => planOf(arm));
  let finite = 0;
  for (let r = 0; r < resamples; r += 1) {
    plans.forEach((plan, at) => {
      if (at === 0 || !problem.paired) draw(plan, over, options.random);
      means[at] = drawnMean(plan, problem.paired ? (plans[0] as Plan) : plan);
    });
    const value = statistic(means);
    if (Number.isFinite(value)) draws[finite++] = value;
  }
  if (finite < 0.99 * resamples) {
    return undefinedInterval(
      `${resamples - finite} of ${resamples} resamples gave no finite value`,
    );
  }
  const sorted = draws.subarray(0, finite).sort();
  const lower = quantileSorted(sorted, 0.5 - level / 2);
  const upper = quantileSorted(sorted, 0.5 + level / 2);
  if (lower === upper) {
    return undefinedInterval(
      "every resample gave the same value, so the spread cannot be estimated",
    );
  }
  return { kind: "interval", lower, upper, level, method: "percentile bootstrap", over };
}

/** One arm laid out for fast resampling, with the indices of the current draw. */
interface Plan {
  readonly values: readonly Float64Array[];
  readonly crossed: boolean;
  readonly seeds: Int32Array;
  readonly puzzles: readonly Int32Array[];
}

function planOf(arm: readonly SeedSample[]): Plan {
  const first = (arm[0] as SeedSample).puzzles;
  const crossed = arm.every(
    (sample) =>
      sample.puzzles.length === first.length && sample.puzzles.every((id, at) => id === first[at]),
  );
  return {
    values: arm.map((sample) => Float64Array.from(sample.values)),
    crossed,
    seeds: new Int32Array(arm.length),
    puzzles: arm.map((sample) => new Int32Array(sample.values.length)),
  };
}

function draw(plan: Plan, over: IntervalUnit, random: Random): void {
  const S = plan.seeds.length;
  for (let s = 0; s < S; s += 1) plan.seeds[s] = over === "seeds" ? random.integer(0, S - 1) : s;
  plan.puzzles.forEach((indices, s) => {
    if (plan.crossed && s > 0) return;
    for (let i = 0; i < indices.length; i += 1) indices[i] = random.integer(0, indices.length - 1);
  });
}

/** Mean over the drawn seeds of the mean over the drawn puzzles. */
function drawnMean(plan: Plan, drawn: Plan): number {
  let total = 0;
  for (const seed of drawn.seeds) {
    const values = plan.values[seed] as Float64Array;
    const indices = drawn.puzzles[drawn.crossed ? 0 : seed] as Int32Array;
    let sum = 0;
    for (let i = 0; i < indices.length; i += 1) sum += values[indices[i] as number] as number;
    total += sum / indices.length;
  }
  return total / drawn.seeds.length;
}
