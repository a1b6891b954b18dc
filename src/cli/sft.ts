/** `habits sft`: fine-tunes a checkpoint on priming traces. */

import { z } from "zod";
import { DEVICES } from "../engine/index.ts";
import { sftConfigSchema } from "../training/sft/config.ts";
import { runSft } from "../training/sft/sft.ts";
import { schemaCommand } from "./schema-command.ts";

const options = z.strictObject({
  model: z.string().describe("checkpoint folder to start from"),
  train: z.string().describe("traces to train on (JSONL)"),
  validation: z.string().optional().describe("traces for the evaluation loss (JSONL)"),
  out: z.string().describe("folder for model/, best/ and metrics.jsonl"),
  seed: z.number().int().default(1).describe("seed of the run"),
  threads: z.number().int().positive().default(1).describe("processor threads"),
  device: z.enum(DEVICES).default("cpu").describe("where the model runs"),
  keepState: z.boolean().default(false).describe("keep the trainer state of a finished run"),
  ...sftConfigSchema.shape,
});

export const command = schemaCommand({
  name: "sft",
  summary: "fine-tune a checkpoint on traces",
  options,
  run: async (all, io) => {
    const { model, train, validation, out, seed, threads, device, keepState, ...config } = all;
    const result = await runSft({
      model,
      train,
      ...(validation === undefined ? {} : { validation }),
      out,
      config,
      seed,
      threads,
      device,
      keepState,
      signal: io.signal,
      onProgress: io.progress("sft"),
    });
    io.print(
      `go on from ${result.model}; evaluation loss ${shown(result.evaluationLoss)}, lowest ${shown(result.bestEvaluationLoss)}`,
    );
    io.result(result);
  },
});

function shown(loss: number | null): string {
  return loss?.toFixed(4) ?? "not measured";
}
