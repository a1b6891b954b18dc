/**
 * The content of analysis/comparison.json: every number that the report and the viewer show. Written by `compareRun`;
 * anything that reads the file validates it with `comparisonSchema`.
 */
import { z } from "zod";
import type { behaviourCellsSchema } from "../data/rows.ts";
import {
  differenceSchema,
  emergenceSchema,
  equalTokensSchema,
  habitOutcomeSchema,
  passCurveSchema,
  validitySchema,
} from "./outcome-schema.ts";
import { estimateSchema, intervalSchema } from "./stats/index.ts";

export type { StepValidity } from "./outcome-schema.ts";

const count = z.number().int().nonnegative();

/** One habit at one step of one arm. */
export const habitSummarySchema = z.strictObject({
  /** Instances per completion, over the completions that were judged. */
  mean: estimateSchema,
  /** Share of judged completions with at least one instance. */
  share: estimateSchema,
  /** Completions without a judgement; they are in no mean. */
  unjudged: count,
});
export type HabitSummary = z.infer<typeof habitSummarySchema>;

/** One checkpoint step of one arm, over its seeds. */
export const stepSummarySchema = z.strictObject({
  step: count,
  /** Seeds that have this step, and how much each was measured on. */
  seeds: z.array(z.strictObject({ seed: z.number(), puzzles: count, completions: count })),
  /** Share of completions that are correct. */
  accuracy: estimateSchema,
  /** Generated tokens per completion. */
  tokens: estimateSchema,
  /** Share of completions that ended at the token limit. */
  truncated: estimateSchema,
  /** Share of completions with a complete answer tag. */
  format: estimateSchema,
  habits: z.strictObject({
    verification: habitSummarySchema,
    backtracking: habitSummarySchema,
    subgoal_setting: habitSummarySchema,
    backward_chaining: habitSummarySchema,
  } satisfies Record<keyof z.infer<typeof behaviourCellsSchema>, typeof habitSummarySchema>),
});
export type StepSummary = z.infer<typeof stepSummarySchema>;

export const armSummarySchema = z.strictObject({
  /** Name of the arm's folder. */
  id: z.string(),
  condition: z.string(),
  base: z.string(),
  seeds: z.array(z.number()),
  steps: z.array(stepSummarySchema),
  /** Last step that every seed has; null when nothing was sampled yet. */
  finalStep: count.nullable(),
});
export type ArmSummary = z.infer<typeof armSummarySchema>;

/** Priming traces of one arm, over its seeds, and how they match those of all_strategies on the same base. */
export const primingSummarySchema = z.strictObject({
  arm: z.string(),
  traces: count,
  /** Share of traces whose answer is right. */
  correct: z.number(),
  meanTokens: z.number(),
  /** How many traces have each token length: [tokens, traces], ascending. */
  lengths: z.array(z.tuple([count, count])),
  /** The writer's own habit record, mean per trace; null where none was kept. */
  habits: z.record(z.string(), z.number()).nullable(),
  /** Trace by trace match with the all_strategies trace of the same puzzle and seed. */
  match: z
    .strictObject({
      arm: z.string(),
      /** Puzzles that both have, and puzzles that only one of them has. */
      shared: count,
      unshared: count,
      equalTokens: count,
      equalAnswers: count,
    })
    .nullable(),
});
export type PrimingSummary = z.infer<typeof primingSummarySchema>;

export const VERDICTS = ["holds", "fails", "undecided", "not measured"] as const;
export type Verdict = (typeof VERDICTS)[number];

export const claimSchema = z.strictObject({
  id: z.string(),
  /** Claims that belong together share a group. */
  group: z.enum(["habits", "controls", "bases"]),
  statement: z.string(),
  /** The rule that gives the verdict, fixed before any run. */
  criterion: z.string(),
  quantity: z.enum(["ratio", "difference", "share"]),
  /** Where the claim starts to hold: a ratio, a share, or a difference of shares. */
  threshold: z.number(),
  estimate: estimateSchema,
  /** The arms compared, in order, with their accuracy at their final step. */
  arms: z.array(
    z.strictObject({
      id: z.string(),
      step: count.nullable(),
      value: z.number().nullable(),
      interval: intervalSchema,
    }),
  ),
  verdict: z.enum(VERDICTS),
  /** What the verdict generalises over: other seeds, or only other puzzles of the one seed that was run. */
  over: z.enum(["seeds", "puzzles"]).nullable(),
  /** One plain sentence. */
  reading: z.string(),
});
export type Claim = z.infer<typeof claimSchema>;

export const comparisonSchema = z.strictObject({
  format: z.literal(1),
  study: z.string(),
  /** Nominal coverage of every interval. */
  level: z.number(),
  /** The base on which the conditions are compared. */
  mainBase: z.string(),
  arms: z.array(armSummarySchema),
  priming: z.array(primingSummarySchema),
  claims: z.array(claimSchema),
  // Files of earlier versions do not have what follows; they read as empty.
  differences: z.array(differenceSchema).default([]),
  emergence: z.array(emergenceSchema).default([]),
  outcomes: z.array(habitOutcomeSchema).default([]),
  validity: z.array(validitySchema).default([]),
  passCurves: z.array(passCurveSchema).default([]),
  equalTokens: z.array(equalTokensSchema).default([]),
});
export type Comparison = z.infer<typeof comparisonSchema>;
