/** `habits complete`: samples and scores completions of one checkpoint, or of every checkpoint of a PPO run. */

import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { DEVICES } from "../engine/index.ts";
import { completeCheckpoint, completeConfigSchema } from "../sampling/complete.ts";
import { DataError } from "../util/errors.ts";
import { schemaCommand } from "./schema-command.ts";

const options = z.strictObject({
  checkpoint: z.string().describe("checkpoint folder, or a folder of step-* checkpoints"),
  puzzleFile: z.string().describe("puzzles (JSONL or parquet)"),
  out: z.string().describe("folder for step-*.jsonl"),
  step: z.number().int().min(0).default(0).describe("step of a single checkpoint, for the rows"),
  seed: z.number().int().default(1).describe("seed of the samples"),
  threads: z.number().int().positive().default(1).describe("processor threads"),
  device: z.enum(DEVICES).default("cpu").describe("where the model runs"),
  n: z.number().int().positive().optional().describe("the same as --samples"),
  ...completeConfigSchema.shape,
});

export const command = schemaCommand({
  name: "complete",
  summary: "sample completions from checkpoints",
  options,
  run: async (all, io) => {
    const { checkpoint, puzzleFile, out, step, seed, threads, device, n, ...rest } = all;
    const config = { ...rest, samples: n ?? rest.samples };
    const results: { step: number; accuracy: number }[] = [];
    for (const found of await findCheckpoints(checkpoint, step)) {
      const name = `step-${String(found.step).padStart(6, "0")}.jsonl`;
      const { accuracy } = await completeCheckpoint({
        checkpoint: found.folder,
        puzzles: puzzleFile,
        out: path.join(out, name),
        step: found.step,
        config,
        seed,
        threads,
        device,
        signal: io.signal,
        onProgress: io.progress(name),
      });
      io.print(`step ${found.step}: accuracy ${(100 * accuracy).toFixed(1)} %`);
      results.push({ step: found.step, accuracy });
    }
    io.result(results);
  },
});

async function findCheckpoints(
  folder: string,
  step: number,
): Promise<{ readonly folder: string; readonly step: number }[]> {
  if (existsSync(path.join(folder, "config.json"))) return [{ folder, step }];
  const names = existsSync(folder) ? await readdir(folder) : [];
  const found = names
    .flatMap((name) => {
      const number = /^step-(\d+)$/.exec(name)?.[1];
      return number === undefined
        ? []
        : [{ folder: path.join(folder, name), step: Number(number) }];
    })
    .sort((a, b) => a.step - b.step);
  if (found.length > 0) return found;
  throw new DataError(
    `reading "${folder}": expected config.json or step-* folders, found neither`,
    {
      code: "complete.no_checkpoint",
      hint: "give the checkpoint folder, or the checkpoints folder of a PPO run",
    },
  );
}
