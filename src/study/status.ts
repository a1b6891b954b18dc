/** What a run folder holds, and what a run of a study would do: for `status`, `list` and `--dry-run`. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { largestBase, resolveBases } from "./bases.ts";
import { estimateSeconds, simulateSchedule } from "./estimate.ts";
import { type Assessment, assessStages, findStages } from "./inspect.ts";
import { type LockHolder, lockHolder } from "./lock.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { measuredSeconds } from "./manifest-writer.ts";
import { planStages } from "./plan.ts";
import type { Study } from "./schema.ts";
import type { StageTable } from "./stage-table.ts";

/** One stage of a forecast. */
export interface StageForecast extends Assessment {
  /** Expected seconds on one core; 0 for a finished stage. */
  readonly seconds: number;
  /** Expected size of its output; 0 for a finished stage. */
  readonly bytes: number;
}

/** What a run would do. */
export interface StudyForecast {
  readonly stages: readonly StageForecast[];
  /** Expected seconds until the end, with the given workers. */
  readonly seconds: number;
  readonly bytes: number;
}

/** Says what `runStudy` would do in a folder, without touching it. */
export async function forecastStudy(
  study: Study,
  options: { readonly folder: string; readonly table: StageTable; readonly workers: number },
): Promise<StudyForecast> {
  const { folder, table, workers } = options;
  const plan = planStages(study);
  const bases = await resolveBases(study);
  const found = await findStages(folder, plan);
  const context = { study, modelBytes: largestBase(bases) };
  const measured = measuredSeconds(await readManifest(folder));
  const seconds = estimateSeconds(plan, table, context, measured);
  const stages = assessStages(plan, table, found, bases).map((assessment): StageForecast => {
    const { stage, state } = assessment;
    if (state === "done") return { ...assessment, seconds: 0, bytes: 0 };
    const { bytes } = table[stage.kind].cost(stage, context);
    return { ...assessment, seconds: seconds.get(stage.id) ?? 0, bytes };
  });
  const left = new Map(stages.map(({ stage, seconds: time }) => [stage.id, time]));
  return {
    stages,
    seconds: simulateSchedule(plan, left, workers),
    bytes: stages.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** One run folder in a list. */
export interface RunSummary {
  readonly folder: string;
  readonly study: string;
  readonly state: Manifest["state"] | "killed";
  readonly updatedAt: string;
  /** Finished stages. */
  readonly done: number;
  /** Process that works on it now. */
  readonly holder: LockHolder | undefined;
}

/** Summaries of the runs below a folder, the latest first; folders without a manifest are passed over. */
export async function listRuns(root: string): Promise<RunSummary[]> {
  if (!existsSync(root)) return [];
  const runs: RunSummary[] = [];
  for (const entry of await readdir(root, { withFileTypes: true })) {
    const folder = path.join(root, entry.name);
    const summary = entry.isDirectory() ? await summarizeRun(folder) : undefined;
    if (summary !== undefined) runs.push(summary);
  }
  return runs.sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1));
}

/** Summary of one run folder; undefined when it has no manifest. */
export async function summarizeRun(folder: string): Promise<RunSummary | undefined> {
  const manifest = await readManifest(folder);
  if (manifest === undefined) return undefined;
  const holder = await lockHolder(folder);
  // A run that says it is running but has no live process was killed.
  const state = manifest.state === "running" && holder === undefined ? "killed" : manifest.state;
  const { study, updatedAt } = manifest;
  return { folder, study, state, updatedAt, done: Object.keys(manifest.stages).length, holder };
}
