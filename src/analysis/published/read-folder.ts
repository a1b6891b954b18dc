/**
 * The published folders: completions_step<N>.jsonl (one JSON array, or a row a line) and all_results.json (rows with
 * habit counts, in one array or in arrays by step), in one folder a run. Field names differ between scripts, so a value
 * is looked up under each of its known names. A count that is null or absent is no count, never 0.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { BEHAVIOURS, type Behaviour } from "../../data/rows.ts";
import { DataError, messageOf } from "../../util/errors.ts";
import type { Fault, RawPoint } from "./schema.ts";

/** Whether a text solves its puzzle; given by the caller, because scoring is not the business of this room. */
export type SolvesPuzzle = (
  text: string,
  puzzle: { readonly numbers: readonly number[]; readonly target: number },
) => boolean;

const TEXT_NAMES = ["completion", "completions", "response", "output", "generated", "text"];
const HABIT_NAMES: Readonly<Record<Behaviour, readonly string[]>> = {
  verification: ["verification_count", "verifications", "verification"],
  backtracking: ["backtracking_count", "backtracking"],
  subgoal_setting: ["subgoal_count", "subgoals", "subgoal_setting_count", "subgoal_setting"],
  backward_chaining: [
    "backward_count",
    "backward-chaining_count",
    "backward_chaining_count",
    "backwards",
  ],
};
/** Deepest nesting of folders that is looked into. */
const DEEPEST = 4;

type Row = Readonly<Record<string, unknown>>;

/** Rows of one run at one step, from one kind of file. */
interface StepRows {
  readonly name: string;
  readonly step: number;
  readonly file: string;
  readonly rows: readonly Row[];
}

/**
 * Points of every run below a folder.
 * @throws DataError `data.no_results` when there is no file of a known name, `data.bad_json` for one that is not JSON.
 */
export async function readResultsFolder(
  folder: string,
  solves: SolvesPuzzle | undefined,
): Promise<{ points: RawPoint[]; faults: Fault[] }> {
  const files = await findFiles(folder, DEEPEST);
  const completions: StepRows[] = [];
  const judgements: StepRows[] = [];
  for (const file of files) {
    const name = path.basename(path.dirname(path.resolve(file)));
    const step = /^completions_step_?(\d+)\.jsonl?$/.exec(path.basename(file))?.[1];
    if (step !== undefined) {
      completions.push({ name, step: Number(step), file, rows: rowsIn(await readJson(file)) });
    } else judgements.push(...stepsOf(await readJson(file), name, file));
  }
  if (completions.length + judgements.length === 0) {
    throw new DataError(
      `reading "${folder}": expected completions_step<N>.jsonl or all_results.json with steps, found neither`,
      { code: "data.no_results", hint: "give the folder of one run, or the folder above several" },
    );
  }
  const faults: Fault[] = [];
  const steps = new Map<string, { completions?: StepRows; judgements?: StepRows }>();
  for (const one of completions) steps.set(`${one.name}/${one.step}`, { completions: one });
  for (const one of judgements) {
    const key = `${one.name}/${one.step}`;
    steps.set(key, { ...steps.get(key), judgements: one });
  }
  const points = [...steps.values()].map((found) =>
    pointOf(found.completions, found.judgements, solves, faults),
  );
  return { points, faults };
}

async function findFiles(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new DataError(`listing "${folder}": ${messageOf(cause)}`, {
      code: "data.read_failed",
      hint: "check the path",
      cause,
    });
  });
  const files: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory() && depth > 1) files.push(...(await findFiles(file, depth - 1)));
    const isResult = /^(completions_step_?\d+\.jsonl?|all_results\.json)$/.test(entry.name);
    if (entry.isFile() && isResult) files.push(file);
  }
  return files;
}

/** A JSON value, or the rows of JSON lines. */
async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8");
  try {
    return JSON.parse(text);
  } catch {
    // Not one value: rows, one a line.
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    return lines.map((line, at) => {
      try {
        return JSON.parse(line) as unknown;
      } catch (cause) {
        throw new DataError(
          `reading "${file}", line ${at + 1}: expected a JSON array or a JSON value a line, found "${line.slice(0, 60)}"`,
          { code: "data.bad_json", hint: "download the file again", cause },
        );
      }
    });
  }
}

function rowsIn(value: unknown): Row[] {
  const list = Array.isArray(value) ? value : isRow(value) ? Object.values(value) : [];
  return list.filter(isRow);
}

/** Rows by step: rows that name their step, or lists under keys that end in a number. */
function stepsOf(value: unknown, name: string, file: string): StepRows[] {
  const groups = new Map<number, Row[]>();
  const put = (step: number, rows: readonly Row[]): void => {
    groups.set(step, [...(groups.get(step) ?? []), ...rows]);
  };
  if (Array.isArray(value)) {
    for (const row of value.filter(isRow)) {
      const step = Number(row.step ?? row.global_step ?? Number.NaN);
      if (Number.isInteger(step)) put(step, [row]);
    }
  } else if (isRow(value)) {
    for (const [key, rows] of Object.entries(value)) {
      const step = /(\d+)(?:\.jsonl?)?$/.exec(key)?.[1];
      if (step !== undefined)
        put(Number(step), rowsIn(isRow(rows) ? (rows.results ?? rows) : rows));
    }
  }
  return [...groups].map(([step, rows]) => ({ name, step, file, rows }));
}

function pointOf(
  completions: StepRows | undefined,
  judgements: StepRows | undefined,
  solves: SolvesPuzzle | undefined,
  faults: Fault[],
): RawPoint {
  const { name, step, file } = (completions ?? judgements) as StepRows;
  const rows = withoutRepeats(completions ?? (judgements as StepRows), faults);
  const judged = judgements === undefined ? rows : withoutRepeats(judgements, faults);
  const outcomes = rows.map((row) => isSolved(row, solves));
  const known = outcomes.filter((outcome) => outcome !== null);
  if (known.length < rows.length) {
    faults.push({
      code: "not_scored",
      conditions: [name],
      steps: [step],
      text: `${name}, step ${step}: ${rows.length - known.length} of ${rows.length} completions have no score and no readable puzzle; the point has no accuracy`,
    });
  }
  const habits = {} as Record<Behaviour, number | null>;
  let counted: number | null = null;
  for (const habit of BEHAVIOURS) {
    const counts = judged.flatMap((row) => countOf(row, habit) ?? []);
    habits[habit] = counts.length === 0 ? null : sum(counts) / counts.length;
    if (counts.length > 0) counted = Math.min(counted ?? counts.length, counts.length);
  }
  const lengths = rows.flatMap((row) => textOf(row)?.length ?? []);
  const isWhole = known.length === rows.length && rows.length > 0;
  return {
    name,
    step,
    accuracy: isWhole ? sum(known.map(Number)) / known.length : null,
    puzzles: isWhole ? rows.length : null,
    characters: lengths.length === 0 ? null : sum(lengths) / lengths.length,
    habits,
    judged: counted,
    where: file,
  };
}

/** Equal rows of one file count once, and are reported. */
function withoutRepeats({ name, step, rows }: StepRows, faults: Fault[]): Row[] {
  const seen = new Map<string, Row>();
  for (const row of rows) {
    seen.set(createHash("sha256").update(JSON.stringify(row)).digest("hex"), row);
  }
  if (seen.size < rows.length) {
    faults.push({
      code: "duplicate_row",
      conditions: [name],
      steps: [step],
      text: `${name}, step ${step}: ${rows.length - seen.size} of ${rows.length} rows are there more than once; each is counted once`,
    });
  }
  return [...seen.values()];
}

function isSolved(row: Row, solves: SolvesPuzzle | undefined): boolean | null {
  if (typeof row.correct === "boolean") return row.correct;
  if (typeof row.score === "number") return row.score === 1;
  const from = isRow(row.ground_truth) ? row.ground_truth : row;
  const numbers = from.numbers ?? from.nums;
  const target = Number(from.target ?? Number.NaN);
  const text = textOf(row);
  const readable = Array.isArray(numbers) && numbers.every((n) => Number.isInteger(n));
  if (solves === undefined || text === undefined || !readable || !Number.isInteger(target))
    return null;
  return solves(text, { numbers: numbers as number[], target });
}

function textOf(row: Row): string | undefined {
  for (const name of TEXT_NAMES) {
    const value = Array.isArray(row[name]) ? (row[name] as unknown[])[0] : row[name];
    if (typeof value === "string") return value;
  }
  return undefined;
}

function countOf(row: Row, habit: Behaviour): number | undefined {
  for (const name of HABIT_NAMES[habit]) {
    const value = row[name];
    if (typeof value === "number" && Number.isFinite(value)) return value;
  }
  return undefined;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
