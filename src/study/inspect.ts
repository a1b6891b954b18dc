/** Compares a run folder with the plan of a study: what is done, what is out of date and why, what was edited. */
import path from "node:path";
import { messageOf, RunError } from "../util/errors.ts";
import type { Base } from "./bases.ts";
import type { Stage } from "./plan.ts";
import {
  type CompleteRecord,
  checkOutputs,
  hashPart,
  isComplete,
  newRecord,
  type OutputProblems,
  partialFolder,
  readRecord,
  type StageRecord,
} from "./record.ts";
import type { StageTable } from "./stage-table.ts";

/** What a run folder holds of one stage. */
export interface Found {
  /** Record of the finished stage. */
  readonly record: CompleteRecord | undefined;
  /** How its files differ from the record; empty lists when they do not. */
  readonly problems: OutputProblems;
  /** Record of unfinished work. */
  readonly partial: StageRecord | undefined;
}

/**
 * Reads every stage record of a run and checks the files against it.
 * @throws RunError `run.unreadable` for a record or file that cannot be read.
 */
export async function findStages(
  folder: string,
  stages: readonly Stage[],
): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  for (const { id } of stages) found.set(id, await findStage(path.join(folder, id)));
  return found;
}

const UNTOUCHED: OutputProblems = { missing: [], changed: [], added: [] };

async function findStage(folder: string): Promise<Found> {
  const record = await readRecord(folder);
  const complete = isComplete(record) ? record : undefined;
  const partial = await readRecord(partialFolder(folder));
  if (complete === undefined) return { record: complete, problems: UNTOUCHED, partial };
  try {
    return { record: complete, problems: await checkOutputs(folder, complete), partial };
  } catch (cause) {
    throw new RunError(`reading the finished stage "${folder}": ${messageOf(cause)}`, {
      code: "run.unreadable",
      hint: "make its files readable, or remove the folder to run the stage again",
      cause,
    });
  }
}

/**
 * Refuses to go on over files that were changed by hand: their results would not be those of the study.
 * @throws RunError `run.edited_artefact` naming every such file.
 */
export function assertUnedited(folder: string, found: ReadonlyMap<string, Found>): void {
  const edits = [...found].flatMap(([id, { problems }]) => [
    ...problems.changed.map((name) => `${path.join(folder, id, name)} (changed)`),
    ...problems.added.map((name) => `${path.join(folder, id, name)} (added)`),
  ]);
  if (edits.length === 0) return;
  const stages = [...found].flatMap(([id, { problems }]) =>
    problems.changed.length + problems.added.length > 0 ? [id] : [],
  );
  throw new RunError(
    `${edits.length === 1 ? "a file differs" : `${edits.length} files differ`} from what their stage wrote:${edits
      .slice(0, 20)
      .map((edit) => `\n  - ${edit}`)
      .join("")}`,
    {
      code: "run.edited_artefact",
      hint: `put the original back, or write it again with ${stages.map((id) => `--redo ${id}`).join(" ")}`,
    },
  );
}

/** The record under which a stage would run now; `records` holds the finished stages that it reads. */
export function recordOf(
  stage: Stage,
  table: StageTable,
  records: ReadonlyMap<string, CompleteRecord>,
  bases: ReadonlyMap<string, Base>,
): StageRecord {
  const inputs = Object.entries(stage.inputs).map(([name, input]): [string, string] => {
    if (input.from === "base") return [name, bases.get(input.base)?.hash ?? ""];
    return [name, hashPart(records.get(input.stage) as CompleteRecord, input.path)];
  });
  return newRecord({
    stage: stage.kind,
    version: table[stage.kind].version,
    seed: stage.seed ?? null,
    config: stage.config,
    inputs: Object.fromEntries(inputs),
  });
}

/** State of a stage before a run. */
export type StageState = "done" | "unfinished" | "new" | "stale" | "after";

/** What a run would do with a stage, and why. */
export interface Assessment {
  readonly stage: Stage;
  /** `after`: an earlier stage runs first, and this one then too unless its inputs come out the same. */
  readonly state: StageState;
  readonly reason: string;
}

/** Says for each stage of a plan whether it would run. */
export function assessStages(
  stages: readonly Stage[],
  table: StageTable,
  found: ReadonlyMap<string, Found>,
  bases: ReadonlyMap<string, Base>,
): Assessment[] {
  const records = new Map<string, CompleteRecord>();
  return stages.map((stage): Assessment => {
    const { record, problems, partial } = found.get(stage.id) as Found;
    const waitsFor = Object.values(stage.inputs).find(
      (input) => input.from === "stage" && !records.has(input.stage),
    );
    if (waitsFor?.from === "stage") {
      return { stage, state: "after", reason: `after ${waitsFor.stage}` };
    }
    const wanted = recordOf(stage, table, records, bases);
    if (record?.key === wanted.key && problems.missing.length === 0) {
      records.set(stage.id, record);
      return { stage, state: "done", reason: "" };
    }
    if (partial?.key === wanted.key) return { stage, state: "unfinished", reason: "was cut off" };
    if (record === undefined) return { stage, state: "new", reason: "" };
    return { stage, state: "stale", reason: difference(record, wanted, problems) };
  });
}

/** Why a finished stage is out of date. */
function difference(before: StageRecord, now: StageRecord, problems: OutputProblems): string {
  const reasons = problems.missing.slice(0, 3).map((name) => `${name} is missing`);
  if (before.version !== now.version) reasons.push("newer version of the stage");
  for (const name of Object.keys({ ...before.inputs, ...now.inputs })) {
    if (before.inputs[name] !== now.inputs[name]) reasons.push(`input ${name} changed`);
  }
  for (const name of Object.keys({ ...before.config, ...now.config })) {
    const [old, current] = [before.config[name], now.config[name]].map((v) => JSON.stringify(v));
    if (old !== current) reasons.push(`${name}: ${old ?? "unset"} -> ${current ?? "unset"}`);
  }
  return reasons.slice(0, 3).join("; ");
}
