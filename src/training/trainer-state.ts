/**
 * What a trainer needs to go on: weights and moments of every optimizer after a step, in one safetensors file that is replaced as a
 * whole. Everything random is drawn from streams named by seed and step, so this and the step number are the whole state.
 * It lies in a folder whose name begins with a dot: it is no artefact of the stage, and a finished stage removes it.
 */
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { writeFileAtomic } from "../data/atomic.ts";
import { readSafetensors, writeSafetensors } from "../model/safetensors.ts";
import { DataError } from "../util/errors.ts";
import { canonicalJson } from "../util/hash.ts";
import type { AdamW } from "./adamw.ts";

const FOLDER = ".state";

/** Optimizers by name; each knows its parameters. */
export type Sides = Readonly<Record<string, AdamW>>;

/** Everything that a continued run must have in common with the one that it continues. */
export type Settings = Readonly<Record<string, unknown>>;

function stateFile(out: string): string {
  return path.join(out, FOLDER, "trainer.safetensors");
}

function settingsFile(out: string): string {
  return path.join(out, FOLDER, "settings.json");
}

/** True where a trainer left a state in its output folder. */
export function hasTrainerState(out: string): boolean {
  return existsSync(stateFile(out));
}

/** Replaces the trainer state with the one after `step`. */
export async function saveTrainerState(
  out: string,
  step: number,
  { sides, settings }: { readonly sides: Sides; readonly settings: Settings },
): Promise<void> {
  await writeFileAtomic(settingsFile(out), `${canonicalJson(settings)}\n`);
  const tensors = Object.entries(sides).flatMap(([side, optimizer]) => [
    { name: side, data: optimizer.parameters.flat },
    { name: `${side}.first_moment`, data: optimizer.firstMoment.flat },
    { name: `${side}.second_moment`, data: optimizer.secondMoment.flat },
    { name: `${side}.updates`, data: Float32Array.of(optimizer.steps) },
  ]);
  await writeSafetensors(
    stateFile(out),
    [...tensors, { name: "step", data: Float32Array.of(step) }].map(({ name, data }) => ({
      name,
      shape: [data.length],
      data,
    })),
  );
}

/** Removes the trainer state. */
export async function removeTrainerState(out: string): Promise<void> {
  await rm(path.join(out, FOLDER), { recursive: true, force: true });
}

/**
 * Puts the saved state into the optimizers and returns its step; 0 where there is none.
 * @throws DataError `training.other_settings` when it was saved under other settings, `training.bad_state` for another model.
 */
export async function restoreTrainerState(
  out: string,
  { sides, settings }: { readonly sides: Sides; readonly settings: Settings },
): Promise<number> {
  if (!hasTrainerState(out)) return 0;
  const file = stateFile(out);
  await checkSettings(out, settings);
  const tensors = new Map((await readSafetensors(file)).map((t) => [t.name, t.data]));
  const load = (name: string, into: Float32Array): void => {
    const data = tensors.get(name);
    if (data?.length !== into.length) {
      throw new DataError(
        `resuming from "${file}": expected tensor "${name}" of ${into.length} numbers, found ${data?.length ?? "none"}`,
        {
          code: "training.bad_state",
          hint: `remove the folder "${path.dirname(file)}" to start this run again`,
        },
      );
    }
    into.set(data);
  };
  const loadNumber = (name: string): number => {
    const value = new Float32Array(1);
    load(name, value);
    return value[0] as number;
  };
  for (const [side, optimizer] of Object.entries(sides)) {
    load(side, optimizer.parameters.flat);
    load(`${side}.first_moment`, optimizer.firstMoment.flat);
    load(`${side}.second_moment`, optimizer.secondMoment.flat);
    optimizer.steps = loadNumber(`${side}.updates`);
  }
  return loadNumber("step");
}

async function checkSettings(out: string, settings: Settings): Promise<void> {
  const saved = JSON.parse(await readFile(settingsFile(out), "utf8")) as Settings;
  const now = JSON.parse(canonicalJson(settings)) as Settings;
  const differences = [...new Set([...Object.keys(saved), ...Object.keys(now)])]
    .map((key) => [key, JSON.stringify(saved[key]), JSON.stringify(now[key])])
    .filter(([, before, after]) => before !== after)
    .map(([key, before = "unset", after = "unset"]) => `${key}: ${before} -> ${after}`);
  if (differences.length === 0) return;
  throw new DataError(
    `resuming "${out}": it was begun with other settings (${differences.slice(0, 3).join("; ")})`,
    {
      code: "training.other_settings",
      hint: `use the same settings, another --out, or remove "${path.join(out, FOLDER)}" to start again`,
    },
  );
}
