/**
 * The output folder of a reinforcement-learning run: `checkpoints/step-*`, `metrics.jsonl`, `timings.jsonl`, and the trainer state while it
 * is unfinished. The state of a step is written before its checkpoint, so that checkpoints without a state belong to a finished run.
 */
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { LanguageModel } from "../../model/checkpoint.ts";
import { DataError } from "../../util/errors.ts";
import { truncateMetrics } from "../metrics-file.ts";
import { saveWhole } from "../save-whole.ts";
import {
  hasTrainerState,
  restoreTrainerState,
  type Settings,
  type Sides,
} from "../trainer-state.ts";

/** Paths inside the output folder of a run. */
export function runPaths(out: string) {
  return {
    checkpoints: path.join(out, "checkpoints"),
    metrics: path.join(out, "metrics.jsonl"),
    timings: path.join(out, "timings.jsonl"),
  };
}

/** Folder of the checkpoint after `step`. */
export function checkpointFolder(out: string, step: number): string {
  return path.join(out, "checkpoints", `step-${String(step).padStart(6, "0")}`);
}

/** Writes the checkpoint of a step: whole or absent. */
export async function saveStep(out: string, step: number, policy: LanguageModel): Promise<void> {
  await saveWhole(checkpointFolder(out, step), policy);
}

/**
 * Puts the last state into the optimizers and drops what was written after it; returns its step, 0 for a fresh run, and `steps` for one
 * that is finished.
 * @throws DataError `rl.no_state` for a finished run that is asked for more steps; `training.bad_state` for another model's state.
 */
export async function restoreRun(
  out: string,
  steps: number,
  run: { readonly sides: Sides; readonly settings: Settings; readonly policy: LanguageModel },
): Promise<number> {
  const paths = runPaths(out);
  const saved = await savedSteps(paths.checkpoints);
  const last = Math.max(0, ...saved);
  if (!hasTrainerState(out) && last > 0) {
    if (last >= steps) return steps;
    throw new DataError(
      `resuming "${out}" for ${steps} steps: it was finished at step ${last}, and its trainer state is gone`,
      {
        code: "rl.no_state",
        hint: "give another --out; --keep-state keeps what a longer run needs",
      },
    );
  }
  const step = await restoreTrainerState(out, run);
  await truncateMetrics(paths.metrics, step === 0 ? -1 : step);
  await truncateMetrics(paths.timings, step === 0 ? -1 : step);
  for (const number of saved) {
    const isStale = number > step || step === 0;
    if (isStale) await rm(checkpointFolder(out, number), { recursive: true, force: true });
  }
  if (step === 0 || !saved.includes(step)) await saveStep(out, step, run.policy);
  return step;
}

/** Steps with a whole checkpoint; folders that a kill left unfinished are removed. */
async function savedSteps(folder: string): Promise<number[]> {
  if (!existsSync(folder)) return [];
  const steps: number[] = [];
  for (const name of await readdir(folder)) {
    const number = /^step-(\d+)$/.exec(name)?.[1];
    if (number !== undefined) steps.push(Number(number));
    else await rm(path.join(folder, name), { recursive: true, force: true });
  }
  return steps;
}
