/** `habits sft`: fine-tunes a checkpoint on priming traces. */
import { z } from "zod";
import { runSft, sftConfigSchema } from "../training/sft/sft.ts";
import { schemaCommand } from "./schema-command.ts";

const options = z.strictObject({
  model: z.string().describe("checkpoint folder to start from"),
  train: z.string().describe("traces to train on (JSONL)"),
  validation: z.string().optional().describe("traces for the evaluation loss (JSONL)"),
  out: z.string().describe("folder for model/ and metrics.jsonl"),
  seed: z.number().int().default(1).describe("seed of the run"),
  threads: z.number().int().positive().default(1).describe("processor threads"),
  ...sftConfigSchema.shape,
});

export const command = schemaCommand({
  name: "sft",
  summary: "fine-tune a checkpoint on traces",
  options,
  run: async ({ model, train, validation, out, seed, threads, ...config }, io) => {
    const result = await runSft({
      model,
      train,
      ...(validation === undefined ? {} : { validation }),
      out,
      config,
      seed,
      threads,
      signal: io.signal,
      onProgress: io.progress("sft"),
    });
    io.print(
      `wrote ${out}/model; evaluation loss ${result.evaluationLoss?.toFixed(4) ?? "not measured"}`,
    );
    io.result(result);
  },
});
