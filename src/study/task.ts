/** Section `task` of a study file: the puzzles of every split, and the stage that makes them. */
import path from "node:path";
import { z } from "zod";
import { generateSplits, writePuzzles } from "../countdown/index.ts";

const range = z
  .tuple([z.int(), z.int()])
  .refine(([low, high]) => low <= high, { error: "expected [low, high] with low <= high" });
const count = z.int().positive();

export const taskSchema = z.strictObject({
  seed: z.int().min(0).default(1).describe("seed of the puzzles, shared by every arm and seed"),
  numbers: z
    .array(z.int().min(2).max(6))
    .min(1)
    .default([3])
    .describe("how many numbers a puzzle has; repeat an entry to weight it"),
  numberRange: range.default([1, 13]).describe("smallest and largest number"),
  targetRange: range.default([10, 99]).describe("smallest and largest target"),
  maxIntermediate: count
    .optional()
    .describe(
      "only expressions whose values are whole numbers from 1 to this; any rational if absent",
    ),
  maxHitShare: z
    .number()
    .positive()
    .max(1)
    .optional()
    .describe("drop puzzles where more than this share of the expressions reaches the target"),
  puzzles: z
    .strictObject({
      primingTrain: count.default(1150).describe("puzzles of the priming traces"),
      primingValidation: count
        .default(120)
        .describe("puzzles of the traces for the evaluation loss"),
      rl: count.default(1150).describe("puzzles of reinforcement learning"),
      tune: count.default(256).describe("puzzles for choosing settings, never for results"),
      test: count.default(400).describe("puzzles of the results"),
    })
    .prefault({}),
});
export type TaskConfig = z.infer<typeof taskSchema>;

/** Writes one puzzle file a split into `out`. */
export async function writeSplits(task: TaskConfig, out: string): Promise<void> {
  const { puzzles, numberRange, targetRange } = task;
  // The test split is drawn first, so that it stays the same when the size of another one changes.
  const splits = generateSplits(
    {
      numberCounts: task.numbers,
      minNumber: numberRange[0],
      maxNumber: numberRange[1],
      minTarget: targetRange[0],
      maxTarget: targetRange[1],
      maxIntermediate: task.maxIntermediate,
      maxHitShare: task.maxHitShare,
    },
    {
      test: puzzles.test,
      tune: puzzles.tune,
      priming_validation: puzzles.primingValidation,
      priming_train: puzzles.primingTrain,
      rl: puzzles.rl,
    },
    task.seed,
  );
  for (const [split, rows] of Object.entries(splits)) {
    await writePuzzles(path.join(out, `${split}.jsonl`), rows);
  }
}
