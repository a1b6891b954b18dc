/**
 * Reads the layout of a run folder (ARCHITECTURE.md, "Run folder"): which arms, seeds and steps exist, and what
 * base and condition an arm has. Only names are read here; rows are read by the modules that need them.
 */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { parse as parseYaml } from "yaml";
import { CONDITIONS } from "../data/rows.ts";
import { DataError, hasErrorCode, messageOf, RunError } from "../util/errors.ts";

/** One arm of a run and where its seeds are. */
export interface ArmFolder {
  readonly id: string;
  readonly condition: string;
  readonly base: string;
  readonly seeds: readonly SeedFolder[];
}

export interface SeedFolder {
  readonly seed: number;
  readonly folder: string;
  /** Steps with a completions file, ascending. */
  readonly steps: readonly number[];
}

export interface RunFolder {
  readonly folder: string;
  /** Name of the study: from study.yaml, or the folder's name. */
  readonly study: string;
  /** Content of study.yaml and manifest.json; empty when the file is not there. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly manifest: Readonly<Record<string, unknown>>;
  readonly arms: readonly ArmFolder[];
}

/**
 * Lists a run folder; arms in the order of the conditions, the base with most conditions first. Where study.yaml lists
 * arms and seeds, only those are read: folders that an earlier version of the study left behind are passed over.
 * @throws RunError `run.not_found` when there is no such folder, `run.no_arms` when it holds no `<arm>/seed-<s>`.
 */
export async function readRunFolder(folder: string): Promise<RunFolder> {
  const settings = await readMapping(path.join(folder, "study.yaml"));
  const manifest = await readMapping(path.join(folder, "manifest.json"));
  const arms: ArmFolder[] = [];
  const listed = listedArms(settings);
  for (const name of await foldersIn(folder, true)) {
    if (listed.size > 0 && !listed.has(name)) continue;
    const seeds = await readSeeds(path.join(folder, name), settings.seeds);
    const description = listed.get(name) ?? describeArm(name, settings);
    if (seeds.length > 0) arms.push({ id: name, ...description, seeds });
  }
  if (arms.length === 0) {
    throw new RunError(`reading the run "${folder}": expected folders <arm>/seed-<s>, found none`, {
      code: "run.no_arms",
      hint: "give the folder of one run, such as runs/quick",
    });
  }
  const study =
    typeof settings.name === "string" ? settings.name : path.basename(path.resolve(folder));
  return { folder, study, settings, manifest, arms: inOrder(arms, settings.bases) };
}

async function readSeeds(armFolder: string, listed: unknown): Promise<SeedFolder[]> {
  const seeds: SeedFolder[] = [];
  for (const name of await foldersIn(armFolder)) {
    const match = /^seed-(\d+)$/.exec(name);
    const seed = Number(match?.[1]);
    if (match === null || (Array.isArray(listed) && !listed.includes(seed))) continue;
    const folder = path.join(armFolder, name);
    const files = await namesIn(path.join(folder, "completions"));
    const steps = files.flatMap((file) => {
      const step = /^step-(\d+)\.jsonl$/.exec(file)?.[1];
      return step === undefined ? [] : [Number(step)];
    });
    seeds.push({ seed, folder, steps: steps.sort((a, b) => a - b) });
  }
  return seeds.sort((a, b) => a.seed - b.seed);
}

/** `step-000040.jsonl` of a seed's completions or behaviours. */
export function stepFile(
  seed: SeedFolder,
  kind: "completions" | "behaviours",
  step: number,
): string {
  return path.join(seed.folder, kind, `step-${String(step).padStart(6, "0")}.jsonl`);
}

/** Last step that every seed of the arm has been sampled at; undefined when there is none. */
export function finalStep(arm: ArmFolder): number | undefined {
  const [first, ...others] = arm.seeds;
  const shared = (first?.steps ?? []).filter((step) => others.every((s) => s.steps.includes(step)));
  return shared.at(-1);
}

interface ArmDescription {
  readonly condition: string;
  readonly base: string;
}

/** Arms of study.yaml by id; empty when it has no such list. */
function listedArms(settings: Readonly<Record<string, unknown>>): Map<string, ArmDescription> {
  const arms = Array.isArray(settings.arms) ? settings.arms.filter(isMapping) : [];
  return new Map(
    arms.flatMap(({ id, condition, base }) =>
      typeof id === "string" && typeof condition === "string"
        ? [[id, { condition, base: typeof base === "string" ? base : "base" }] as const]
        : [],
    ),
  );
}

/** Base and condition from the folder's name: a condition, alone or joined to the name of a base (`none@tiny-habits`). */
function describeArm(id: string, settings: Readonly<Record<string, unknown>>): ArmDescription {
  const defaultBase = typeof settings.base === "string" ? settings.base : "base";
  const byLength = [...CONDITIONS].sort((a, b) => b.length - a.length);
  const condition = byLength.find(
    (name) => id === name || id.startsWith(name) || id.endsWith(name),
  );
  if (condition === undefined) return { condition: id, base: defaultBase };
  const rest = id.replace(condition, "").replace(/^[-_.@+]+|[-_.@+]+$/g, "");
  return { condition, base: rest === "" ? defaultBase : rest };
}

function inOrder(arms: readonly ArmFolder[], bases: unknown): ArmFolder[] {
  const size = new Map<string, number>();
  for (const arm of arms) size.set(arm.base, (size.get(arm.base) ?? 0) + 1);
  const baseRank = Object.keys(isMapping(bases) ? bases : {});
  const rank = (arm: ArmFolder): number => {
    const at = (CONDITIONS as readonly string[]).indexOf(arm.condition);
    return at < 0 ? CONDITIONS.length : at;
  };
  return [...arms].sort(
    (a, b) =>
      (size.get(b.base) as number) - (size.get(a.base) as number) ||
      baseRank.indexOf(a.base) - baseRank.indexOf(b.base) ||
      byCodeUnit(a.base, b.base) ||
      rank(a) - rank(b) ||
      byCodeUnit(a.id, b.id),
  );
}

/** Order that does not depend on the language of the machine. */
function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

async function readMapping(file: string): Promise<Readonly<Record<string, unknown>>> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    if (hasErrorCode(cause, "ENOENT") || hasErrorCode(cause, "ENOTDIR")) return {};
    throw new DataError(`reading "${file}": ${messageOf(cause)}`, {
      code: "data.read_failed",
      cause,
    });
  }
  try {
    const value: unknown = parseYaml(text); // JSON is YAML
    return isMapping(value) ? value : {};
  } catch (cause) {
    throw new DataError(`reading "${file}": ${messageOf(cause)}`, {
      code: "data.bad_yaml",
      hint: "repair the file, or remove it to go on without it",
      cause,
    });
  }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (hasErrorCode(cause, "ENOENT")) return [];
    throw new DataError(`listing "${folder}": ${messageOf(cause)}`, {
      code: "data.read_failed",
      cause,
    });
  }
}

async function foldersIn(folder: string, required = false): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (cause) {
    if (!required && hasErrorCode(cause, "ENOENT")) return [];
    throw new RunError(`reading the run "${folder}": ${messageOf(cause)}`, {
      code: "run.not_found",
      hint: "give the folder of one run, such as runs/quick",
      cause,
    });
  }
}
