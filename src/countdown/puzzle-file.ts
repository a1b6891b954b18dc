/**
 * Files of puzzles: JSONL or parquet by extension. Reads our rows and the shape of the public data set
 * Countdown-Tasks-3to4 (`nums`, `target`), whose rows get their id and the split name `public` here.
 */
import path from "node:path";
import { z } from "zod";
import { parseRow, readJsonlLines, writeJsonl } from "../data/jsonl.ts";
import { readParquet, writeParquet } from "../data/parquet.ts";
import { type Puzzle, puzzleSchema } from "../data/rows.ts";
import { DataError } from "../util/errors.ts";
import { makePuzzle, puzzleId } from "./puzzle.ts";

const whole = z.number().int();
const publicSchema = z.object({ nums: z.array(whole).min(1), target: whole });

/**
 * Reads a file of puzzles in its order.
 * @throws DataError naming file and row for a row that is no puzzle or whose id does not belong to its numbers and target
 */
export async function readPuzzles(file: string): Promise<Puzzle[]> {
  const puzzles: Puzzle[] = [];
  if (isParquet(file)) {
    const rows = await readParquet(file);
    rows.forEach((row, i) => {
      puzzles.push(toPuzzle(row, `"${file}", row ${i + 1}`));
    });
    return puzzles;
  }
  for await (const { line, value } of readJsonlLines(file)) {
    puzzles.push(toPuzzle(value, `"${file}", line ${line}`));
  }
  return puzzles;
}

/** Writes puzzles as parquet when the name ends with `.parquet`, as JSONL otherwise. */
export async function writePuzzles(file: string, puzzles: readonly Puzzle[]): Promise<void> {
  if (!isParquet(file)) return writeJsonl(file, puzzles);
  return writeParquet(file, puzzles, [
    { name: "id", type: "string" },
    { name: "numbers", type: { list: "int64" } },
    { name: "target", type: "int64" },
    { name: "split", type: "string" },
    { name: "solutions", type: "int64", optional: true },
    { name: "difficulty", type: "double", optional: true },
  ]);
}

function isParquet(file: string): boolean {
  return path.extname(file).toLowerCase() === ".parquet";
}

function toPuzzle(value: unknown, where: string): Puzzle {
  if (value !== null && typeof value === "object" && "nums" in value) {
    const { nums, target } = parseRow(value, publicSchema, where);
    return makePuzzle(nums, target, "public");
  }
  const puzzle = parseRow(value, puzzleSchema, where);
  const id = puzzleId(puzzle.numbers, puzzle.target);
  if (puzzle.id === id) return puzzle;
  throw new DataError(
    `reading ${where}: expected the id "${id}" for these numbers and target, found "${puzzle.id}"`,
    {
      code: "countdown.wrong_id",
      hint: "an id belongs to its numbers and target; write the file again with `habits countdown generate`",
    },
  );
}
