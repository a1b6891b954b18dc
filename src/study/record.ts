/**
 * The record of a stage, `stage.json` in its folder: the key it ran under and the hash of every file it wrote.
 *
 * A stage writes into `<folder>.partial`, whose record has no outputs yet. When it is complete, the record gets the
 * hashes, the old folder is removed and the partial one takes its name. A kill between any two of these steps leaves
 * either the old state, or a complete partial folder that only has to be renamed. Names that begin with a dot and
 * `timings.jsonl` are not artefacts. The record holds nothing that differs between two equal runs.
 */
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../data/atomic.ts";
import { hasErrorCode, messageOf, RunError } from "../util/errors.ts";
import { canonicalJson, hashFile, sha256 } from "../util/hash.ts";

const RECORD_FILE = "stage.json";
/** Times of a training stage, which differ from run to run. */
const TIMINGS_FILE = "timings.jsonl";

const recordSchema = z.strictObject({
  stage: z.string(),
  /** Hash of everything below down to `inputs`. */
  key: z.string(),
  version: z.int(),
  seed: z.int().nullable(),
  config: z.record(z.string(), z.unknown()),
  inputs: z.record(z.string(), z.string()),
  /** Hash by path; null while the stage is not complete. */
  outputs: z.record(z.string(), z.string()).nullable(),
});
export type StageRecord = z.infer<typeof recordSchema>;

/** A record whose stage is complete. */
export type CompleteRecord = StageRecord & { readonly outputs: Readonly<Record<string, string>> };

/** Builds the record of a stage about to run. */
export function newRecord(facts: Omit<StageRecord, "key" | "outputs">): StageRecord {
  return { ...facts, key: sha256(canonicalJson(facts)), outputs: null };
}

export function isComplete(record: StageRecord | undefined): record is CompleteRecord {
  return record !== undefined && record.outputs !== null;
}

/** Folder in which an unfinished stage works. */
export function partialFolder(folder: string): string {
  return `${folder}.partial`;
}

/**
 * Reads the record in a stage folder; undefined when there is none.
 * @throws RunError `run.unreadable` when it cannot be read or is not a record.
 */
export async function readRecord(folder: string): Promise<StageRecord | undefined> {
  const file = path.join(folder, RECORD_FILE);
  let found: string;
  try {
    const text = await readFile(file, "utf8");
    const result = recordSchema.safeParse(JSON.parse(text));
    if (result.success) return result.data;
    found = result.error.issues
      .map((issue) => `${issue.path.join(".")}: ${issue.message}`)
      .join("; ");
  } catch (error) {
    if (hasErrorCode(error, "ENOENT")) return undefined;
    found = messageOf(error);
  }
  throw new RunError(`reading the stage record "${file}": ${found}`, {
    code: "run.unreadable",
    hint: `make the file readable, or remove the folder "${folder}" to run the stage again`,
  });
}

/** Writes the record into a stage folder. */
export async function writeRecord(folder: string, record: StageRecord): Promise<void> {
  const { outputs, ...facts } = record;
  await writeFileAtomic(
    path.join(folder, RECORD_FILE),
    `${JSON.stringify({ ...facts, outputs }, null, 2)}\n`,
  );
}

/** Hash of every artefact below a folder, by its path with forward slashes, in sorted order. */
export async function hashOutputs(folder: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const name of await listArtefacts(folder)) {
    hashes[name] = await hashFile(path.join(folder, name));
  }
  return hashes;
}

async function listArtefacts(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const name = path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep);
    const hidden = name.some((part) => part.startsWith(".")) || entry.name === TIMINGS_FILE;
    if (!entry.isDirectory() && !hidden && name.join("/") !== RECORD_FILE)
      names.push(name.join("/"));
  }
  return names.sort();
}

/** What differs between a complete record and the files that are there. */
export interface OutputProblems {
  readonly missing: readonly string[];
  readonly changed: readonly string[];
  readonly added: readonly string[];
}

/** Compares the files of a finished stage with its record. */
export async function checkOutputs(
  folder: string,
  record: CompleteRecord,
): Promise<OutputProblems> {
  const found = await hashOutputs(folder);
  const expected = Object.keys(record.outputs);
  return {
    missing: expected.filter((name) => found[name] === undefined),
    changed: expected.filter(
      (name) => found[name] !== undefined && found[name] !== record.outputs[name],
    ),
    added: Object.keys(found).filter((name) => record.outputs[name] === undefined),
  };
}

/** Hash of the part of a stage's output at or below `subpath` (`""`: all of it). */
export function hashPart(record: CompleteRecord, subpath: string): string {
  const lines = Object.entries(record.outputs)
    .filter(([name]) => subpath === "" || name === subpath || name.startsWith(`${subpath}/`))
    .map(([name, hash]) => `${name}\t${hash}`);
  if (lines.length === 0) {
    throw new RunError(
      `stage "${record.stage}" was expected to write "${subpath}", found ${Object.keys(record.outputs).join(", ") || "nothing"}`,
      { code: "run.missing_output", hint: "report this defect, with the study file" },
    );
  }
  return sha256(lines.join("\n"));
}

/**
 * Prepares the partial folder of a stage that is to run under `record`; keeps its content when it is of the same key
 * and the stage can carry on.
 */
export async function openPartial(
  folder: string,
  record: StageRecord,
  resumable: boolean,
): Promise<{ readonly resumed: boolean }> {
  const partial = partialFolder(folder);
  const before = await readRecord(partial);
  if (before?.key === record.key && resumable) {
    await removeTemporaries(partial);
    return { resumed: true };
  }
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  await writeRecord(partial, record);
  return { resumed: false };
}

/** Completes a stage: hashes what it wrote, and puts the partial folder in the place of the final one. */
export async function closePartial(folder: string, record: StageRecord): Promise<CompleteRecord> {
  const partial = partialFolder(folder);
  await removeTemporaries(partial);
  const complete = { ...record, outputs: await hashOutputs(partial) };
  await writeRecord(partial, complete);
  await promote(folder);
  return complete;
}

/** Renames a complete partial folder that a kill left behind; true when there was one of the given key. */
export async function promoteLeftover(
  folder: string,
  key: string,
): Promise<CompleteRecord | undefined> {
  const record = await readRecord(partialFolder(folder));
  if (record?.key !== key || !isComplete(record)) return undefined;
  const problems = await checkOutputs(partialFolder(folder), record);
  if (Object.values(problems).some((names) => names.length > 0)) return undefined;
  await promote(folder);
  return record;
}

async function promote(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await rename(partialFolder(folder), folder);
}

/** Removes what atomic writes leave behind when they are killed. */
export async function removeTemporaries(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && /^\..*\.tmp$/.test(entry.name)) {
      await rm(path.join(entry.parentPath, entry.name), { force: true });
    }
  }
}
