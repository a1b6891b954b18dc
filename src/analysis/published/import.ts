/** Import of published results: a CSV or a folder to points and faults (docs/methods/report.md, "Published results"). */
import { stat } from "node:fs/promises";
import path from "node:path";
import { readJsonFile } from "../../data/json.ts";
import { DataError, messageOf } from "../../util/errors.ts";
import { checkPoints } from "./faults.ts";
import { readResultsCsv } from "./read-csv.ts";
import { readResultsFolder, type SolvesPuzzle } from "./read-folder.ts";
import { type PublishedResult, publishedResultSchema } from "./schema.ts";

/**
 * Reads one published file or folder and reports its faults; `solves` scores completions that carry no score.
 * @throws DataError for a path that is not there or that holds no results.
 */
export async function importPublished(
  source: string,
  solves?: SolvesPuzzle,
): Promise<PublishedResult> {
  const found = await stat(source).catch((cause: unknown) => {
    throw new DataError(`reading "${source}": ${messageOf(cause)}`, {
      code: "data.read_failed",
      hint: "give a results CSV, or a folder with completions_step<N>.jsonl",
      cause,
    });
  });
  const kind = found.isDirectory() ? "folder" : "csv";
  const raw =
    kind === "folder" ? await readResultsFolder(source, solves) : await readResultsCsv(source);
  const { points, faults } = checkPoints(raw.points);
  return publishedResultSchema.parse({
    format: 1,
    source: path.basename(path.resolve(source)),
    kind,
    points,
    faults: [...raw.faults, ...faults],
  } satisfies PublishedResult);
}

/** Reads a file that `habits import` wrote. */
export function readPublished(file: string): Promise<PublishedResult> {
  return readJsonFile(file, publishedResultSchema);
}
