/**
 * Row schemas of every file that one stage hands to another. Validate at the edge with these; inside, trust the types.
 * Offsets are UTF-16 code units of the text they point into, `end` exclusive.
 */
import { z } from "zod";

/** The four habits, in the order in which they are always shown. */
export const BEHAVIOURS = [
  "verification",
  "backtracking",
  "subgoal_setting",
  "backward_chaining",
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/** Priming conditions; `none` is the base model without priming. */
export const CONDITIONS = [
  "none",
  "negative_control",
  "only_backtracking",
  "backtracking_verification",
  "backtracking_subgoal",
  "backtracking_backward",
  "all_strategies",
  "incorrect_only",
  "empty_cot",
  "length_matched",
] as const;
export type Condition = (typeof CONDITIONS)[number];

const integer = z.number().int();

export const puzzleSchema = z.strictObject({
  /** Content hash of the sorted numbers and the target. */
  id: z.string(),
  numbers: z.array(integer).min(1),
  target: integer,
  split: z.string(),
  /** Distinct solutions up to commutativity and associativity. */
  solutions: integer.optional(),
  /** Share of distinct expressions that hit the target, in [0, 1]. */
  difficulty: z.number().optional(),
});
export type Puzzle = z.infer<typeof puzzleSchema>;

export const spanSchema = z.strictObject({
  start: integer,
  end: integer,
  /** Verification: the check is true. Absent where it cannot be decided or does not apply. */
  valid: z.boolean().optional(),
});
export type Span = z.infer<typeof spanSchema>;

export const behaviourCellSchema = z.strictObject({
  /** Instances found; null when the judgement failed, with the reason beside it. Never 0 for a failure. */
  count: integer.nullable(),
  reason: z.string().optional(),
  spans: z.array(spanSchema),
});
export type BehaviourCell = z.infer<typeof behaviourCellSchema>;

export const behaviourCellsSchema = z.strictObject({
  verification: behaviourCellSchema,
  backtracking: behaviourCellSchema,
  subgoal_setting: behaviourCellSchema,
  backward_chaining: behaviourCellSchema,
});
export type BehaviourCells = z.infer<typeof behaviourCellsSchema>;

export const traceSchema = z.strictObject({
  /** Prompt text, up to and including the opened `<think>`. */
  query: z.string(),
  /** Everything after it: thought, `</think>`, `<answer>...</answer>`. */
  completion: z.string(),
  condition: z.string(),
  puzzle_id: z.string(),
  numbers: z.array(integer),
  target: integer,
  correct: z.boolean(),
  answer: z.string().nullable(),
  /** `teacher` or `provider:model`. */
  source: z.string(),
  /** Tokens of `completion` under the tokenizer of the base model, end-of-text not counted. */
  tokens: integer,
  /** The writer's own record of each habit instance in `completion`; null where the writer keeps none. */
  record: behaviourCellsSchema.nullable(),
});
export type Trace = z.infer<typeof traceSchema>;

export const completionSchema = z.strictObject({
  puzzle_id: z.string(),
  /** Position of the puzzle in its file. */
  index: integer,
  /** Training step of the checkpoint; 0 is the model before reinforcement learning. */
  step: integer,
  seed: integer,
  /** Sample number for the same puzzle and checkpoint, from 0. */
  sample: integer,
  prompt: z.string(),
  generated: z.string(),
  score: z.number(),
  correct: z.boolean(),
  answer: z.string().nullable(),
  stop_reason: z.enum(["stop", "length"]),
  /** Generated tokens, the end-of-text token included. */
  tokens: integer,
  ground_truth: z.strictObject({ target: integer, numbers: z.array(integer) }),
});
export type Completion = z.infer<typeof completionSchema>;

export const behaviourRowSchema = z.strictObject({
  puzzle_id: z.string(),
  step: integer,
  sample: integer,
  judge: z.string(),
  ...behaviourCellsSchema.shape,
});
export type BehaviourRow = z.infer<typeof behaviourRowSchema>;
