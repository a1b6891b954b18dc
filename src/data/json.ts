/** Whole JSON files, validated. */
import { readFile } from "node:fs/promises";
import type { z } from "zod";
import { DataError, messageOf } from "../util/errors.ts";
import { parseRow } from "./jsonl.ts";

/**
 * Reads and validates a JSON file.
 * @throws DataError `data.read_failed`, or `data.bad_row` naming each field that does not fit.
 */
export async function readJsonFile<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw new DataError(`reading "${file}": ${messageOf(cause)}`, {
      code: "data.read_failed",
      hint: "check the path, or run the stage that writes it again",
      cause,
    });
  }
  return parseRow(value, schema, `"${file}"`);
}
