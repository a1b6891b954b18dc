/**
 * Confidence intervals of one mean. An interval always says over what it generalises: `seeds` (other trainings of the
 * same recipe) or `puzzles` (other puzzles for this one training). What cannot be computed is an explicit `undefined`
 * with a reason, never a number and never an interval of width 0.
 */
import { z } from "zod";
import { normalQuantile, studentQuantile } from "./distributions.ts";
import { mean, standardError } from "./moments.ts";

export const confidenceIntervalSchema = z.strictObject({
  kind: z.literal("interval"),
  lower: z.number(),
  upper: z.number(),
  /** Nominal coverage, 0.95 by default. */
  level: z.number(),
  /** `t`, `wilson`, `log ratio t`, `percentile bootstrap`. */
  method: z.string(),
  /** What was treated as the random unit. */
  over: z.enum(["seeds", "puzzles"]),
});
export type ConfidenceInterval = z.infer<typeof confidenceIntervalSchema>;

export const undefinedIntervalSchema = z.strictObject({
  kind: z.literal("undefined"),
  reason: z.string(),
});
export type UndefinedInterval = z.infer<typeof undefinedIntervalSchema>;

export const intervalSchema = z.discriminatedUnion("kind", [
  confidenceIntervalSchema,
  undefinedIntervalSchema,
]);
export type Interval = z.infer<typeof intervalSchema>;

export type IntervalUnit = ConfidenceInterval["over"];

/** Options of every interval; `level` is the nominal coverage, by default 0.95. */
export interface IntervalOptions {
  readonly level?: number;
  readonly over: IntervalUnit;
  /** Interval ends are clipped to this range, e.g. [0, 1] for a share. */
  readonly range?: readonly [number, number];
}

export const DEFAULT_LEVEL = 0.95;

/** The explicit value for an interval that cannot be computed. */
export function undefinedInterval(reason: string): UndefinedInterval {
  return { kind: "undefined", reason };
}

/**
 * Wilson score interval of a proportion (Wilson 1927): never empty, never outside [0, 1], sound at 0 and at n.
 * Undefined for no trials.
 */
export function wilsonInterval(
  successes: number,
  trials: number,
  options: IntervalOptions,
): Interval {
  if (trials === 0) return undefinedInterval("no trials");
  const level = options.level ?? DEFAULT_LEVEL;
  const z2 = normalQuantile(0.5 + level / 2) ** 2;
  const share = successes / trials;
  const center = (share + z2 / (2 * trials)) / (1 + z2 / trials);
  const half =
    (Math.sqrt(z2) / (1 + z2 / trials)) *
    Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials * trials));
  // At 0 and n the end is exactly 0 or 1; rounding must not move it.
  const lower = successes === 0 ? 0 : Math.max(0, center - half);
  const upper = successes === trials ? 1 : Math.min(1, center + half);
  return { kind: "interval", lower, upper, level, method: "wilson", over: options.over };
}

/**
 * Student t interval of a mean from independent values: one value a seed, or one a puzzle.
 * Undefined for fewer than two values and for values that are all equal, where the spread cannot be estimated.
 */
export function studentInterval(values: readonly number[], options: IntervalOptions): Interval {
  const unit = options.over === "seeds" ? "seed" : "puzzle";
  const error = standardError(values);
  if (error === undefined) {
    return undefinedInterval(
      `an interval over ${options.over} needs at least two of them, found ${values.length}`,
    );
  }
  if (error === 0) {
    return undefinedInterval(
      `every ${unit} gave the same value, so the spread over ${options.over} cannot be estimated`,
    );
  }
  const level = options.level ?? DEFAULT_LEVEL;
  const half = studentQuantile(0.5 + level / 2, values.length - 1) * error;
  const center = mean(values);
  const [low, high] = options.range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  return {
    kind: "interval",
    lower: Math.max(low, center - half),
    upper: Math.min(high, center + half),
    level,
    method: "t",
    over: options.over,
  };
}

/** True when both intervals are defined and share no point. */
export function areDisjoint(a: Interval, b: Interval): boolean {
  if (a.kind === "undefined" || b.kind === "undefined") return false;
  return a.lower > b.upper || b.lower > a.upper;
}
