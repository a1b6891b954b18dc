/**
 * Trainer state of a PPO run: weights and moments of policy and critic after a step, in one safetensors file that is replaced as a
 * whole. Everything random in a step is named by seed and step, so weights, moments and the step number are the whole state.
 */
import { existsSync } from "node:fs";
import { readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { type LanguageModel, saveCheckpoint } from "../../model/checkpoint.ts";
import { readSafetensors, writeSafetensors } from "../../model/safetensors.ts";
import { DataError } from "../../util/errors.ts";
import type { AdamW } from "../adamw.ts";
import { truncateMetrics } from "../metrics-file.ts";

/** Paths inside the output folder of a run. */
export function runPaths(out: string) {
  return {
    state: path.join(out, "state", "trainer.safetensors"),
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
  const folder = checkpointFolder(out, step);
  const temporary = `${folder}.tmp`;
  await rm(temporary, { recursive: true, force: true });
  await saveCheckpoint(temporary, policy);
  await rm(folder, { recursive: true, force: true });
  await rename(temporary, folder);
}

/** Replaces the trainer state with the one after `step`. */
export async function saveState(
  out: string,
  step: number,
  sides: Readonly<Record<string, AdamW>>,
): Promise<void> {
  const tensors = Object.entries(sides).flatMap(([side, optimizer]) =>
    [
      { name: side, data: optimizer.parameters.flat },
      { name: `${side}.first_moment`, data: optimizer.firstMoment.flat },
      { name: `${side}.second_moment`, data: optimizer.secondMoment.flat },
      { name: `${side}.updates`, data: Float32Array.of(optimizer.steps) },
      { name: "step", data: Float32Array.of(step) },
    ].filter(({ name }) => name !== "step" || side === Object.keys(sides)[0]),
  );
  await writeSafetensors(
    runPaths(out).state,
    tensors.map(({ name, data }) => ({ name, shape: [data.length], data })),
  );
}

/**
 * Restores the state into the optimizers and drops what was written after it; returns the step, 0 where there is no state.
 * @throws DataError `ppo.bad_state` when the state belongs to another model.
 */
export async function restoreState(
  out: string,
  sides: Readonly<Record<string, AdamW>>,
): Promise<number> {
  const paths = runPaths(out);
  const step = existsSync(paths.state) ? await readState(paths.state, sides) : 0;
  await truncateMetrics(paths.metrics, step === 0 ? -1 : step);
  await truncateMetrics(paths.timings, step === 0 ? -1 : step);
  if (existsSync(paths.checkpoints)) {
    for (const name of await readdir(paths.checkpoints)) {
      const number = /^step-(\d+)$/.exec(name)?.[1];
      const isStale = number === undefined || Number(number) > step || step === 0;
      if (isStale) await rm(path.join(paths.checkpoints, name), { recursive: true, force: true });
    }
  }
  return step;
}

async function readState(file: string, sides: Readonly<Record<string, AdamW>>): Promise<number> {
  const tensors = new Map((await readSafetensors(file)).map((t) => [t.name, t.data]));
  const load = (name: string, into: Float32Array): void => {
    const data = tensors.get(name);
    if (data?.length !== into.length) {
      throw new DataError(
        `resuming from "${file}": expected tensor "${name}" of ${into.length} numbers, found ${data?.length ?? "none"}`,
        { code: "ppo.bad_state", hint: "remove the state folder to start this run again" },
      );
    }
    into.set(data);
  };
  for (const [side, optimizer] of Object.entries(sides)) {
    load(side, optimizer.parameters.flat);
    load(`${side}.first_moment`, optimizer.firstMoment.flat);
    load(`${side}.second_moment`, optimizer.secondMoment.flat);
    const updates = new Float32Array(1);
    load(`${side}.updates`, updates);
    optimizer.steps = updates[0] as number;
  }
  const step = new Float32Array(1);
  load("step", step);
  return step[0] as number;
}
