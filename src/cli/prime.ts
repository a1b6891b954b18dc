/** `habits prime`: writes the priming traces of a condition. */
import path from "node:path";
import { z } from "zod";
import { Tokenizer } from "../model/tokenizer.ts";
import { generatePriming, primingConfigSchema } from "../priming/generate.ts";
import type { SplitSummary } from "../priming/summary.ts";
import { schemaCommand } from "./schema-command.ts";

const options = z.strictObject({
  condition: z.string().describe("a priming condition, or custom:FILE with a file of traces"),
  puzzles: z.string().optional().describe("puzzles to train on (JSONL or parquet)"),
  validationPuzzles: z.string().optional().describe("puzzles for the evaluation loss"),
  out: z.string().describe("folder for train.jsonl, validation.jsonl and summary.json"),
  seed: z.number().int().default(1).describe("seed of the wording"),
  model: z
    .string()
    .optional()
    .describe(
      "checkpoint folder whose tokenizer counts the tokens; default: that of the tiny bases",
    ),
  ...primingConfigSchema.shape,
});

export const command = schemaCommand({
  name: "prime",
  summary: "write priming traces for a condition",
  options,
  arguments: ["condition"],
  run: async (all, io) => {
    const { condition, puzzles, validationPuzzles, out, seed, model, ...config } = all;
    const tokenizer = model === undefined ? undefined : await Tokenizer.load(model);
    const summary = await generatePriming({
      ...(puzzles === undefined ? {} : { puzzles: puzzleFiles(puzzles, validationPuzzles) }),
      out,
      condition,
      config,
      seed,
      ...(tokenizer === undefined ? {} : { tokenizer }),
      signal: io.signal,
      onProgress: io.progress(`prime ${condition}`),
    });
    io.result(summary, [
      `wrote ${path.join(out, "train.jsonl")}: ${describe(summary.train)}`,
      `wrote ${path.join(out, "validation.jsonl")}: ${describe(summary.validation)}`,
    ]);
  },
});

function puzzleFiles(train: string, validation: string | undefined) {
  return validation === undefined ? { train } : { train, validation };
}

function describe({ traces, correct, tokens, match }: SplitSummary): string {
  const parts = [`${traces} traces`, `${correct} correct`];
  if (tokens !== undefined)
    parts.push(`${tokens.mean.toFixed(1)} tokens on average, at most ${tokens.largest}`);
  if (match !== undefined) {
    parts.push(
      `answer as ${match.with} in ${match.sameAnswer} of ${match.puzzles}, length in ${match.sameTokens} of ${match.puzzles}`,
    );
  }
  return parts.join(", ");
}
