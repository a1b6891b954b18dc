/** `habits countdown generate | solve | score`. */
import path from "node:path";
import { z } from "zod";
import {
  difficulty,
  formatExpression,
  type GeneratorOptions,
  generateSplits,
  type Puzzle,
  scoreFile,
  solve,
  writePuzzles,
} from "../countdown/index.ts";
import { UsageError } from "../util/errors.ts";
import type { CommandIo } from "./io.ts";
import { commandGroup, schemaCommand } from "./schema-command.ts";

const whole = z.number().int();
const optionalBound = whole.positive().optional();

const generateOptions = z.object({
  out: z.string().describe("file (.jsonl or .parquet), or folder when there are --splits"),
  count: whole.positive().default(1000).describe("puzzles to draw, without --splits"),
  split: z.string().default("train").describe("name of the split in the rows, without --splits"),
  splits: z.array(z.string()).optional().describe("sizes of disjoint splits: train=1000,test=200"),
  format: z.enum(["jsonl", "parquet"]).default("jsonl").describe("kind of the files of --splits"),
  seed: whole.default(0).describe("seed of the draw"),
  numberCounts: z
    .array(whole.min(1).max(6))
    .default([3, 4])
    .describe("numbers in a puzzle, drawn from this list; repeat an entry to weight it"),
  minNumber: whole.nonnegative().default(1).describe("smallest number"),
  maxNumber: whole.positive().default(100).describe("largest number"),
  minTarget: whole.nonnegative().default(1).describe("smallest target"),
  maxTarget: whole.positive().default(100).describe("largest target"),
  solvable: z.boolean().default(true).describe("also draw puzzles without a solution"),
  maxIntermediate: optionalBound.describe("only whole intermediate values from 1 to this"),
  maxHitShare: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe("drop puzzles where a larger share of the expressions hits"),
  annotate: z.boolean().default(false).describe("add the count of solutions and the difficulty"),
});

const generate = schemaCommand({
  name: "generate",
  summary: "draw puzzles",
  options: generateOptions,
  async run({ out, count, split, splits, format, seed, ...rest }, io) {
    const space: Omit<GeneratorOptions, "count" | "split"> = rest;
    const sizes = splits === undefined ? { [split]: count } : parseSizes(splits);
    const puzzles = generateSplits(space, sizes, seed);
    const files: Record<string, { file: string; puzzles: number }> = {};
    for (const [name, rows] of Object.entries(puzzles)) {
      const file = splits === undefined ? out : path.join(out, `${name}.${format}`);
      await writePuzzles(file, rows);
      files[name] = { file, puzzles: rows.length };
    }
    io.result(
      { seed, files },
      Object.values(files).map((entry) => `${entry.puzzles} puzzles in ${entry.file}`),
    );
  },
});

function parseSizes(splits: readonly string[]): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const text of splits) {
    const [, name, size] = /^([A-Za-z0-9_-]+)=([0-9]+)$/.exec(text.trim()) ?? [];
    if (name === undefined || Number(size) === 0 || name in sizes) {
      throw new UsageError(`--splits: expected different names with sizes, found "${text}"`, {
        code: "usage.bad_options",
        hint: "write them as train=1000,test=200",
      });
    }
    sizes[name] = Number(size);
  }
  return sizes;
}

const solveCommand = schemaCommand({
  name: "solve",
  summary: "list the distinct solutions of a puzzle",
  options: z.object({
    numbers: z.array(whole.nonnegative()).min(1).max(6).describe("the numbers, up to six"),
    target: whole.describe("the value to make"),
    maxIntermediate: optionalBound.describe("only whole intermediate values from 1 to this"),
    limit: whole.positive().default(20).describe("solutions to print"),
  }),
  arguments: ["numbers"],
  async run({ numbers, target, maxIntermediate, limit }, io) {
    const task: Pick<Puzzle, "numbers" | "target"> = { numbers, target };
    const found = solve(task, { maxIntermediate }).map(formatExpression);
    const { solutions, expressions, share } = difficulty(task, { maxIntermediate });
    const shown = found.slice(0, limit);
    io.result({ ...task, solutions, expressions, difficulty: share, found: shown }, [
      ...shown.map((text) => `${text} = ${target}`),
      `${solutions} of ${expressions} distinct expressions make ${target}`,
    ]);
  },
});

const score = schemaCommand({
  name: "score",
  summary: "score the completions of a JSONL file",
  options: z.object({
    in: z.string().describe("JSONL rows with numbers, target and completion"),
    out: z.string().describe("JSONL to write: the rows with score, correct, reason and answer"),
    legacy: z
      .boolean()
      .default(false)
      .describe("use the published reward, which reads the last line"),
    responseOnly: z.boolean().default(false).describe("with --legacy: expect no `Assistant:` mark"),
    formatScore: z.number().default(0.1).describe("score of a complete wrong answer"),
  }),
  async run({ in: input, out: output, ...options }, io: CommandIo) {
    const onProgress = io.progress("score");
    const summary = await scoreFile({ input, output, ...options, signal: io.signal, onProgress });
    const share = summary.rows === 0 ? 0 : (100 * summary.correct) / summary.rows;
    io.result({ scorer: options.legacy ? "legacy" : "exact", ...summary }, [
      `${summary.correct} of ${summary.rows} correct (${share.toFixed(1)} %)`,
      ...Object.entries(summary.reasons).map(([reason, rows]) => `  ${reason} ${rows}`),
    ]);
  },
});

/** `habits countdown`. */
export const command = commandGroup("countdown", "make, solve and score Countdown puzzles", [
  generate,
  solveCommand,
  score,
]);
