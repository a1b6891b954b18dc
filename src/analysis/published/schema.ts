/** Results that others published, brought to one form: points by condition and step, and the faults found in them. */
import { z } from "zod";
import { BEHAVIOURS } from "../../data/rows.ts";
import { intervalSchema } from "../stats/index.ts";

const count = z.number().int().nonnegative();

export const FAULTS = [
  "duplicate_row",
  "conflicting_rows",
  "shared_point",
  "mixed_sample_sizes",
  "missing_step",
  "inconsistent_total",
  "bad_value",
  "not_scored",
] as const;

/** Something in the files that must not be averaged over. */
export const faultSchema = z.strictObject({
  code: z.enum(FAULTS),
  /** Conditions and steps that it touches. */
  conditions: z.array(z.string()),
  steps: z.array(count),
  /** What was found and what was done about it. */
  text: z.string(),
});
export type Fault = z.infer<typeof faultSchema>;

export const publishedPointSchema = z.strictObject({
  /** Name in the files. */
  name: z.string(),
  /** Our name of the condition; null where we have none. */
  condition: z.string().nullable(),
  step: count,
  /** Share of right answers; null when nothing says which are right. */
  accuracy: z.number().nullable(),
  /** Puzzles behind the accuracy: counted, or the smallest number that its digits allow. */
  puzzles: count.nullable(),
  /** Wilson interval over those puzzles: there is one seed. */
  interval: intervalSchema,
  /** Mean length in characters. */
  characters: z.number().nullable(),
  /** Mean instances per judged completion; null where not judged. */
  habits: z.record(z.enum(BEHAVIOURS), z.number().nullable()),
  judged: count.nullable(),
  /** False when a fault makes the point unfit to be shown beside ours. */
  usable: z.boolean(),
});
export type PublishedPoint = z.infer<typeof publishedPointSchema>;

export const publishedResultSchema = z.strictObject({
  format: z.literal(1),
  /** Name of the file or folder. */
  source: z.string(),
  kind: z.enum(["csv", "folder"]),
  points: z.array(publishedPointSchema),
  faults: z.array(faultSchema),
});
export type PublishedResult = z.infer<typeof publishedResultSchema>;

/** A point as it was read, before faults are sought; `line` says where. */
export interface RawPoint {
  readonly name: string;
  readonly step: number;
  readonly accuracy: number | null;
  readonly puzzles: number | null;
  readonly characters: number | null;
  readonly habits: PublishedPoint["habits"];
  readonly judged: number | null;
  readonly where: string;
}

/** Names of the published runs that are conditions of ours. */
const CONDITION_OF: Readonly<Record<string, string>> = {
  base_ppo: "none",
  no_positive_all_strategies: "incorrect_only",
  dots: "length_matched",
  all_strategies: "all_strategies",
  only_backtracking: "only_backtracking",
  backtracking_verification: "backtracking_verification",
  backtracking_backward: "backtracking_backward",
  backtracking_subgoal: "backtracking_subgoal",
  empty_cot: "empty_cot",
};

/** Our condition of a published name, or null. */
export function conditionOf(name: string): string | null {
  return CONDITION_OF[name] ?? null;
}
