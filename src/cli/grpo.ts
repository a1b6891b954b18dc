/** `habits grpo`: trains a checkpoint by GRPO, without a critic, on Countdown puzzles; run again, it goes on where it was. */

import { z } from "zod";
import { DEVICES } from "../engine/index.ts";
import { grpoConfigSchema } from "../training/grpo/config.ts";
import { runGrpo } from "../training/grpo/grpo.ts";
import { schemaCommand } from "./schema-command.ts";

const options = z.strictObject({
  model: z.string().describe("checkpoint folder of the starting policy"),
  puzzles: z.string().describe("puzzles to train on (JSONL or parquet)"),
  out: z.string().describe("folder for checkpoints/ and metrics.jsonl"),
  seed: z.number().int().default(1).describe("seed of the run"),
  threads: z.number().int().positive().default(1).describe("processor threads"),
  device: z.enum(DEVICES).default("cpu").describe("where the model runs"),
  keepState: z.boolean().default(false).describe("keep the trainer state of a finished run"),
  ...grpoConfigSchema.omit({ algorithm: true }).shape,
});

export const command = schemaCommand({
  name: "grpo",
  summary: "train a checkpoint by GRPO on puzzles",
  options,
  run: async ({ model, puzzles, out, seed, threads, device, keepState, ...config }, io) => {
    await runGrpo({
      model,
      puzzles,
      out,
      config: { algorithm: "grpo", ...config },
      seed,
      threads,
      device,
      keepState,
      signal: io.signal,
      onProgress: io.progress("grpo"),
      clockMs: () => performance.now(),
    });
    io.print(`wrote ${out}/checkpoints`);
    io.result({ out });
  },
});
