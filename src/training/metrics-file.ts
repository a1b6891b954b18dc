/** Metric rows of a training stage: one JSON object a step, appended as the step ends. */
import { appendFile, mkdir } from "node:fs/promises";
import path from "node:path";
import { writeError } from "../data/atomic.ts";
import { readJsonlLines, writeJsonl } from "../data/jsonl.ts";
import { hasErrorCode } from "../util/errors.ts";

export type MetricRow = { readonly step: number } & Readonly<Record<string, number | null>>;

/** Appends one row. A value that is undefined at this step is null, never 0. */
export async function appendMetrics(file: string, row: MetricRow): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await appendFile(file, `${JSON.stringify(row)}\n`);
  } catch (cause) {
    throw writeError(file, cause);
  }
}

/** Drops the rows after `lastStep`, which a resumed run writes again; returns the others. */
export async function truncateMetrics(file: string, lastStep: number): Promise<MetricRow[]> {
  const kept: MetricRow[] = [];
  try {
    for await (const { value } of readJsonlLines(file)) {
      if ((value as MetricRow).step <= lastStep) kept.push(value as MetricRow);
    }
  } catch (error) {
    if (!hasErrorCode((error as Error).cause, "ENOENT")) throw error;
  }
  await writeJsonl(file, kept);
  return kept;
}
