/** Schemas of the analyses beyond the curves: differences, emergence, outcomes, validity, best of n. */
import { z } from "zod";
import { BEHAVIOURS } from "../data/rows.ts";
import { estimateSchema, intervalSchema } from "./stats/index.ts";

const count = z.number().int().nonnegative();
const habit = z.enum(BEHAVIOURS);

/** Difference of an arm from its reference at their final steps, paired by seed and puzzle. */
export const differenceSchema = z.strictObject({
  arm: z.string(),
  reference: z.string(),
  quantity: z.enum(["accuracy", "tokens", ...BEHAVIOURS]),
  estimate: estimateSchema,
  /** Paired t test; null where there is no spread to test against. */
  pValue: z.number().nullable(),
  /** Holm's adjustment within `family`: the conditions times what the family holds. */
  adjusted: z.number().nullable(),
  family: z.enum(["accuracy", "tokens", "habits"]),
  /** Tests in the family. */
  familySize: count,
  over: z.enum(["seeds", "puzzles"]).nullable(),
  seeds: count,
  /** Puzzles that a seed has on average in both arms. */
  puzzles: count,
});
export type Difference = z.infer<typeof differenceSchema>;

/** First steps at which an arm's value lies outside the interval of its first step. */
export const emergenceSchema = z.strictObject({
  arm: z.string(),
  /** Accuracy, or the share of completions with a habit. */
  quantity: z.enum(["accuracy", ...BEHAVIOURS]),
  start: z.strictObject({ step: count, value: z.number(), interval: intervalSchema }),
  /** The first step outside; null when there is none or the starting interval is undefined. */
  first: count.nullable(),
  /** The first step from which every later value is outside on the same side. */
  lasting: count.nullable(),
  direction: z.enum(["up", "down"]).nullable(),
});
export type Emergence = z.infer<typeof emergenceSchema>;

export const stepValiditySchema = z.strictObject({
  step: count,
  /** Checks whose verdict could be decided, and those whose could not. */
  checks: count,
  checksUndecided: count,
  checksTrue: estimateSchema,
  checksSound: estimateSchema,
  backtracks: count,
  backtracksOpen: count,
  changed: estimateSchema,
  fresh: estimateSchema,
  computations: count,
  computationsTrue: estimateSchema,
});
export type StepValidity = z.infer<typeof stepValiditySchema>;

export const validitySchema = z.strictObject({
  arm: z.string(),
  steps: z.array(stepValiditySchema),
});
export type Validity = z.infer<typeof validitySchema>;

const solvedSchema = z.strictObject({ completions: count, solved: count });
const oddsSchema = z.strictObject({ oddsRatio: z.number().nullable(), interval: intervalSchema });

/** Whether completions with a habit solve more, at one moment of training. */
export const habitOutcomeSchema = z.strictObject({
  moment: z.enum(["first", "final"]),
  habit,
  /** Arms in which some completions show the habit and some do not. */
  arms: z.array(z.string()),
  with: solvedSchema,
  without: solvedSchema,
  unjudged: count,
  /** Strata of arm, difficulty and length; `strata` of them have completions both with and without. */
  mantelHaenszel: oddsSchema.extend({ difference: z.number().nullable(), strata: count }),
  /** Logistic regressions with a constant for each arm; clusters are puzzles. */
  regressions: z.array(
    oddsSchema.extend({
      adjusts: z.enum(["arm", "arm, difficulty", "arm, difficulty, length"]),
      rows: count,
      clusters: count,
    }),
  ),
  /** The table behind it, summed over arms: thirds of difficulty (0 easy) by thirds of length (0 short). */
  table: z.array(
    z.strictObject({ difficulty: count, length: count, with: solvedSchema, without: solvedSchema }),
  ),
});
export type HabitOutcome = z.infer<typeof habitOutcomeSchema>;

const passPointSchema = z.strictObject({
  k: count,
  /** Mean tokens of k completions. */
  tokens: z.number(),
  estimate: estimateSchema,
});

/** Chance that one of k samples is right, by arm at its final step. */
export const passCurveSchema = z.strictObject({
  arm: z.string(),
  /** Fewest samples that any puzzle has. */
  samples: count,
  puzzles: count,
  points: z.array(passPointSchema),
});
export type PassCurve = z.infer<typeof passCurveSchema>;

/** One long completion of an arm against as many of another as its tokens pay for. */
export const equalTokensSchema = z.strictObject({
  long: z.string(),
  parallel: z.string(),
  tokens: z.number(),
  /** Samples of `parallel` that the tokens pay for; between whole numbers the two neighbours are mixed. */
  k: z.number(),
  longPass: z.number().nullable(),
  parallelPass: z.number().nullable(),
  /** Long minus parallel, paired by puzzle; value null with a reason where there are too few samples. */
  difference: estimateSchema,
});
export type EqualTokens = z.infer<typeof equalTokensSchema>;
