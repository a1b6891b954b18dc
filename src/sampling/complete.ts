/** Completions of a checkpoint on held-out puzzles, scored: one row for each puzzle and sample. */
import { z } from "zod";
import { readPuzzles, renderPrompt, scoreCompletion } from "../countdown/index.ts";
import { writeJsonl } from "../data/jsonl.ts";
import type { Completion } from "../data/rows.ts";
import { loadCheckpoint } from "../model/checkpoint.ts";
import { type Device, Sampler } from "../model/sampler.ts";
import type { StageContext } from "../util/progress.ts";

export const completeConfigSchema = z.strictObject({
  puzzles: z
    .number()
    .int()
    .positive()
    .optional()
    .describe("first puzzles of the file; all by default"),
  samples: z.number().int().positive().default(1).describe("completions of each puzzle"),
  temperature: z.number().min(0).default(1).describe("sampling temperature; 0 is greedy"),
  topK: z
    .number()
    .int()
    .min(0)
    .optional()
    .describe("keep the k likeliest tokens; 0 or absent keeps all"),
  topP: z.number().gt(0).max(1).optional().describe("keep the likeliest tokens that sum to this"),
  minP: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("keep tokens at least this share as likely as the likeliest"),
  stop: z
    .array(z.string().min(1))
    .optional()
    .describe("end a completion before any of these texts"),
  maxNewTokens: z.number().int().positive().default(200).describe("longest completion in tokens"),
  batchSize: z.number().int().positive().default(256).describe("sequences sampled side by side"),
});
export type CompleteConfig = z.infer<typeof completeConfigSchema>;

export interface CompleteArguments extends StageContext {
  readonly checkpoint: string;
  /** Puzzle file (JSONL or parquet). */
  readonly puzzles: string;
  /** Completion rows (JSONL). */
  readonly out: string;
  /** Training step of the checkpoint, for the rows. */
  readonly step: number;
  readonly config: CompleteConfig;
  readonly seed: number;
  readonly threads?: number;
  /** Default `cpu`. */
  readonly device?: Device;
}

/** Samples, scores and writes the completions of one checkpoint; returns the share of correct ones. */
export async function completeCheckpoint(
  args: CompleteArguments,
): Promise<{ readonly accuracy: number }> {
  const { config } = args;
  const model = await loadCheckpoint(args.checkpoint);
  const puzzles = (await readPuzzles(args.puzzles)).slice(0, config.puzzles);
  const requests = puzzles.flatMap((puzzle, index) => {
    const prompt = renderPrompt(puzzle);
    const promptIds = model.tokenizer.encodePrompt(prompt);
    return Array.from({ length: config.samples }, (_, sample) => ({
      puzzle,
      index,
      sample,
      prompt,
      promptIds,
      // The step is part of the key, so that checkpoints get independent draws.
      key: [args.step, puzzle.id, sample],
    }));
  });
  const sampler = new Sampler(model.config, {
    threads: args.threads ?? 1,
    device: args.device ?? "cpu",
  });
  let done = 0;
  const sampled = await sampler
    .sample(model.parameters, requests, {
      seed: args.seed,
      maxNewTokens: config.maxNewTokens,
      temperature: config.temperature,
      topK: config.topK || undefined,
      topP: config.topP,
      minP: config.minP,
      ...(config.stop && { text: { stream: () => model.tokenizer.stream(), stop: config.stop } }),
      batchSize: config.batchSize,
      ...(args.signal === undefined ? {} : { signal: args.signal }),
      onSequence: () => {
        done += 1;
        args.onProgress?.({ done, total: requests.length, unit: "completions" });
      },
    })
    .finally(() => sampler.dispose());
  const rows = sampled.map((sequence, i): Completion => {
    const { puzzle, index, sample, prompt } = requests[i] as (typeof requests)[number];
    const generated = sequence.text ?? model.tokenizer.decode(sequence.ids);
    const ground_truth = { target: puzzle.target, numbers: puzzle.numbers };
    const { score, correct, answer } = scoreCompletion(generated, ground_truth);
    return {
      puzzle_id: puzzle.id,
      index,
      step: args.step,
      seed: args.seed,
      sample,
      prompt,
      generated,
      score,
      correct,
      answer,
      stop_reason: sequence.stopReason,
      tokens: sequence.ids.length,
      ground_truth,
    };
  });
  await writeJsonl(args.out, rows);
  return { accuracy: rows.filter((row) => row.correct).length / rows.length };
}
