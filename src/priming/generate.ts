/**
 * The priming stage: puzzles in, traces of one condition out. Writes `train.jsonl`, `validation.jsonl` and `summary.json` into the
 * folder `out`. Puzzles are taken in the order of their file; one that gets no trace (see `Rejection`) is passed over and
 * counted. The stream of a puzzle depends on the seed and the puzzle only, so `empty_cot` and `length_matched` have the puzzles
 * and answers of `all_strategies`; the summary proves it by writing those traces again and comparing.
 */
import path from "node:path";
import { z } from "zod";
import { loadTemplate, readPuzzles, renderPrompt } from "../countdown/index.ts";
import { writeFileAtomic } from "../data/atomic.ts";
import { writeJsonl } from "../data/jsonl.ts";
import { CONDITIONS, type Puzzle, type Trace } from "../data/rows.ts";
import { Random } from "../random/random.ts";
import { DataError, UsageError } from "../util/errors.ts";
import type { StageContext } from "../util/progress.ts";
import { readCustomTraces } from "./custom.ts";
import { teacherOptionsSchema } from "./options.ts";
import { tokenCount } from "./pieces.ts";
import { type MatchProof, type PrimingSummary, type SplitSummary, summarize } from "./summary.ts";
import {
  type TaughtCondition,
  type WriteOptions,
  type WrittenTrace,
  writeTrace,
} from "./teacher.ts";

/** Settings of the priming stage. */
export const primingConfigSchema = z.strictObject({
  train: z.number().int().min(1).default(1000).describe("traces to train on"),
  validation: z.number().int().min(0).default(100).describe("traces for the evaluation loss"),
  template: z.string().default("plain").describe("prompt template: a name or the path of a file"),
  ...teacherOptionsSchema.shape,
});
export type PrimingConfig = z.infer<typeof primingConfigSchema>;

export interface PrimingArguments extends StageContext {
  /** Files of puzzles without a puzzle in common; not read for `custom:<file>`. */
  readonly puzzles?: { readonly train: string; readonly validation?: string };
  /** Folder to write into. */
  readonly out: string;
  /** A condition other than `none`, or `custom:<file>` with a file of trace rows. */
  readonly condition: string;
  readonly config: PrimingConfig;
  readonly seed: number;
  /** Tokenizer of the base model; default: the vocabulary of the tiny bases. */
  readonly tokenizer?: { encode(text: string): readonly number[] };
}

type Split = "train" | "validation";

/**
 * Writes the traces of a condition.
 * @throws UsageError `priming.unknown_condition`; DataError `priming.too_few_puzzles` when the puzzles run out
 */
export async function generatePriming(args: PrimingArguments): Promise<PrimingSummary> {
  const { tokenizer, config, condition, out, seed } = args;
  const countTokens = tokenizer ? (text: string) => tokenizer.encode(text).length : tokenCount;
  const splits = condition.startsWith("custom:")
    ? await readCustomTraces(condition.slice("custom:".length), config, countTokens)
    : await writeSplits(args, countTokens);
  for (const split of ["train", "validation"] as const) {
    await writeJsonl(path.join(out, `${split}.jsonl`), splits[split].traces);
  }
  const summary: PrimingSummary = {
    condition,
    seed,
    config,
    train: splits.train.summary,
    validation: splits.validation.summary,
  };
  await writeFileAtomic(path.join(out, "summary.json"), `${JSON.stringify(summary, null, 2)}\n`);
  return summary;
}

/** Traces of a split and what is told about them. */
export interface WrittenSplit {
  readonly traces: readonly Trace[];
  readonly summary: SplitSummary;
}

async function writeSplits(
  args: PrimingArguments,
  countTokens: (text: string) => number,
): Promise<Record<Split, WrittenSplit>> {
  const { config, puzzles } = args;
  const total = config.train + config.validation;
  const shared = { total, countTokens };
  const train = await writeSplit(args, {
    ...shared,
    file: fileOf(puzzles?.train, "train"),
    count: config.train,
    done: 0,
  });
  if (config.validation === 0)
    return { train, validation: { traces: [], summary: summarize([], {}) } };
  const validation = await writeSplit(args, {
    ...shared,
    file: fileOf(puzzles?.validation, "validation"),
    count: config.validation,
    done: config.train,
  });
  return { train, validation };
}

function fileOf(file: string | undefined, split: Split): string {
  if (file !== undefined) return file;
  throw new UsageError(`priming: expected a file of puzzles for the ${split} traces, found none`, {
    code: "priming.no_puzzles",
    hint: `give a file of ${split} puzzles, or set the number of validation traces to 0`,
  });
}

interface SplitTask {
  readonly file: string;
  readonly count: number;
  /** Traces written before this split, and of both splits, for the progress. */
  readonly done: number;
  readonly total: number;
  readonly countTokens: (text: string) => number;
}

async function writeSplit(args: PrimingArguments, task: SplitTask): Promise<WrittenSplit> {
  const condition = taughtCondition(args.condition);
  const options: WriteOptions = { ...args.config, countTokens: task.countTokens };
  const template = loadTemplate(args.config.template);
  const traces: Trace[] = [];
  const written: WrittenTrace[] = [];
  const rejected: Record<string, number> = {};
  const match =
    condition === "empty_cot" || condition === "length_matched" ? newMatch() : undefined;
  const puzzles = await readPuzzles(task.file);
  for (const puzzle of puzzles) {
    if (traces.length === task.count) break;
    args.signal?.throwIfAborted();
    const trace = writeTrace(puzzle, condition, streamOf(args.seed, puzzle), options);
    if ("rejected" in trace) {
      rejected[trace.rejected] = (rejected[trace.rejected] ?? 0) + 1;
      continue;
    }
    written.push(trace);
    traces.push(rowOf(trace, puzzle, condition, renderPrompt(puzzle, template)));
    if (match !== undefined) compare(match, trace, puzzle, { seed: args.seed, options });
    const done = task.done + traces.length;
    if (done % 50 === 0) args.onProgress?.({ done, total: task.total, unit: "traces" });
  }
  if (traces.length < task.count) throw tooFew(task, traces.length, puzzles.length, rejected);
  return { traces, summary: summarize(written, rejected, match) };
}

/** Stream of one puzzle; the same for every condition. */
function streamOf(seed: number, puzzle: Puzzle): Random {
  return Random.of(seed, "teacher", puzzle.id);
}

function rowOf(trace: WrittenTrace, puzzle: Puzzle, condition: string, query: string): Trace {
  return {
    query,
    completion: trace.completion,
    condition,
    puzzle_id: puzzle.id,
    numbers: puzzle.numbers,
    target: puzzle.target,
    correct: trace.correct,
    answer: trace.answer,
    source: "teacher",
    tokens: trace.tokens,
    record: trace.record,
  };
}

function newMatch(): MatchProof {
  return { with: "all_strategies", puzzles: 0, sameAnswer: 0, sameTokens: 0 };
}

/** Writes the trace of all_strategies for the same puzzle and compares answer and length. */
function compare(
  match: MatchProof,
  trace: WrittenTrace,
  puzzle: Puzzle,
  { seed, options }: { seed: number; options: WriteOptions },
): void {
  const model = writeTrace(puzzle, "all_strategies", streamOf(seed, puzzle), options);
  match.puzzles += 1;
  if ("rejected" in model) return;
  const count = options.countTokens ?? tokenCount;
  if (model.answer === trace.answer) match.sameAnswer += 1;
  if (count(model.completion) === count(trace.completion)) match.sameTokens += 1;
}

function taughtCondition(condition: string): TaughtCondition {
  const taught = CONDITIONS.filter((name) => name !== "none") as TaughtCondition[];
  const found = taught.find((name) => name === condition);
  if (found !== undefined) return found;
  throw new UsageError(`priming: expected a condition, found "${condition}"`, {
    code: "priming.unknown_condition",
    hint: `give one of ${taught.join(", ")}, or custom:FILE`,
  });
}

function tooFew(
  task: SplitTask,
  found: number,
  read: number,
  rejected: Readonly<Record<string, number>>,
): DataError {
  const reasons = Object.entries(rejected).map(([reason, count]) => `${count} ${reason}`);
  return new DataError(
    `writing traces for "${task.file}": expected ${task.count}, found ${found} from ${read} puzzles (${reasons.join(", ") || "none rejected"})`,
    {
      code: "priming.too_few_puzzles",
      hint: "give more puzzles, raise maxTokens, or let long searches end early with tooLong: give_up",
    },
  );
}
