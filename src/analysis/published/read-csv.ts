/** The published CSV: a row a condition and step, with means and totals of each habit, accuracy and mean length. */
import { readFile } from "node:fs/promises";
import type { Behaviour } from "../../data/rows.ts";
import { DataError, messageOf } from "../../util/errors.ts";
import type { Fault, RawPoint } from "./schema.ts";

const HABIT_COLUMNS: Readonly<Record<Behaviour, readonly [string, string]>> = {
  verification: ["avg_verifications", "total_verifications"],
  backtracking: ["avg_backtracking", "total_backtracking"],
  subgoal_setting: ["avg_subgoals", "total_subgoals"],
  backward_chaining: ["avg_backwards", "total_backwards"],
};

/**
 * Points and the faults of single rows.
 * @throws DataError when the file cannot be read or has no columns condition, step and accuracy.
 */
export async function readResultsCsv(
  file: string,
): Promise<{ points: RawPoint[]; faults: Fault[] }> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new DataError(`reading "${file}": ${messageOf(cause)}`, {
      code: "data.read_failed",
      hint: "check the path",
      cause,
    });
  });
  const [header = [], ...rows] = parseCsv(text.replace(/^\uFEFF/, ""));
  const missing = ["condition", "step", "accuracy"].filter((name) => !header.includes(name));
  if (missing.length > 0) {
    throw new DataError(
      `reading "${file}": expected the columns condition, step and accuracy, found "${header.join(", ").slice(0, 200)}"`,
      { code: "data.bad_columns", hint: "give a results file of the published study" },
    );
  }
  const faults: Fault[] = [];
  const points = rows.flatMap((cells, at) => {
    const row = new Map(header.map((name, i) => [name, cells[i] ?? ""]));
    return pointOf(row, `line ${at + 2}`, faults);
  });
  return { points, faults };
}

function pointOf(row: ReadonlyMap<string, string>, where: string, faults: Fault[]): RawPoint[] {
  const name = row.get("condition") ?? "";
  const step = numberOf(row.get("step"));
  const accuracy = numberOf(row.get("accuracy"));
  const sound = step !== null && Number.isInteger(step) && step >= 0;
  if (name === "" || !sound || accuracy === null || accuracy < 0 || accuracy > 1) {
    faults.push({
      code: "bad_value",
      conditions: [name],
      steps: sound ? [step] : [],
      text: `${where}: expected a condition, a step and an accuracy from 0 to 1, found "${[name, row.get("step"), row.get("accuracy")].join('", "')}"; the row is left out`,
    });
    return [];
  }
  const habits = {} as Record<Behaviour, number | null>;
  const sizes = new Set<number>();
  for (const [habit, [average, total]] of Object.entries(HABIT_COLUMNS)) {
    const mean = numberOf(row.get(average));
    const sum = numberOf(row.get(total));
    habits[habit as Behaviour] = mean;
    if (mean !== null && sum !== null && mean > 0)
      sizes.add(Math.round((1000 * sum) / mean) / 1000);
  }
  const [judged] = sizes;
  if (sizes.size > 1) {
    faults.push({
      code: "inconsistent_total",
      conditions: [name],
      steps: [step],
      text: `${name}, step ${step} (${where}): totals and means of the habits give ${[...sizes].join(" and ")} completions`,
    });
  }
  return [
    {
      name,
      step,
      accuracy,
      puzzles: null,
      characters: numberOf(row.get("response_length")),
      habits,
      judged: sizes.size === 1 && Number.isInteger(judged) ? (judged as number) : null,
      where,
    },
  ];
}

function numberOf(text: string | undefined): number | null {
  if (text === undefined || text.trim() === "") return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

/** Rows of a CSV text (RFC 4180: quoted cells may hold commas, line feeds and doubled quotes); blank lines are dropped. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  while (cell.lastIndex < text.length) {
    const match = cell.exec(text);
    if (match === null) break;
    row.push(match[1]?.replaceAll('""', '"') ?? (match[2] as string));
    if (match[3] === ",") {
      if (cell.lastIndex === text.length) row.push("");
      continue;
    }
    if (row.some((value) => value !== "")) rows.push(row);
    row = [];
  }
  if (row.length > 0) rows.push(row);
  return rows;
}
