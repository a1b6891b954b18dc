/** JSONL files: one JSON value a line. A torn final line (no line feed, not valid JSON) counts as not written. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { z } from "zod";
import { DataError, messageOf } from "../util/errors.ts";
import { writeFileAtomic } from "./atomic.ts";

/**
 * Yields the parsed values of a JSONL file with their line numbers (from 1); blank lines are passed over.
 * @throws DataError `data.bad_json` with file and line for a broken line that is not the torn last one.
 */
export async function* readJsonlLines(
  file: string,
): AsyncGenerator<{ readonly line: number; readonly value: unknown }> {
  const input = createReadStream(file, { encoding: "utf8" });
  const failed = new Promise<never>((_resolve, reject) => input.once("error", reject));
  failed.catch(() => undefined);
  let line = 0;
  let pending: { line: number; text: string; cause: unknown } | undefined;
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[
    Symbol.asyncIterator
  ]();
  for (;;) {
    const next = await Promise.race([lines.next(), failed]).catch((cause: unknown) => {
      throw new DataError(`reading "${file}": ${messageOf(cause)}`, {
        code: "data.read_failed",
        hint: "check the path",
        cause,
      });
    });
    if (pending !== undefined && next.done !== true) throw badLine(file, pending);
    if (next.done === true) return;
    line += 1;
    if (next.value.trim() === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(next.value);
    } catch (cause) {
      pending = { line, text: next.value, cause };
      continue;
    }
    yield { line, value };
  }
}

function badLine(file: string, bad: { line: number; text: string; cause: unknown }): DataError {
  return new DataError(
    `reading "${file}", line ${bad.line}: expected one JSON value, found "${bad.text.slice(0, 60)}"`,
    { code: "data.bad_json", hint: "repair or remove that line", cause: bad.cause },
  );
}

/**
 * Reads and validates every row of a JSONL file.
 * @throws DataError `data.bad_row` with file, line and every problem of the first bad row.
 */
export async function readJsonl<T>(file: string, schema: z.ZodType<T>): Promise<T[]> {
  const rows: T[] = [];
  for await (const { line, value } of readJsonlLines(file)) {
    rows.push(parseRow(value, schema, `"${file}", line ${line}`));
  }
  return rows;
}

/**
 * Validates one value against a schema.
 * @param where file and position for the message, e.g. `"rows.jsonl", line 3`
 * @throws DataError `data.bad_row` naming each field that does not fit.
 */
export function parseRow<T>(value: unknown, schema: z.ZodType<T>, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join(".") || "row"}: ${issue.message}`)
    .join("; ");
  throw new DataError(`reading ${where}: ${problems}`, {
    code: "data.bad_row",
    hint: "see docs/methods/files.md for the fields of each kind of file",
  });
}

/** JSONL text of rows, with a final line feed. */
export function toJsonl(rows: Iterable<unknown>): string {
  let text = "";
  for (const row of rows) text += `${JSON.stringify(row)}\n`;
  return text;
}

/** Writes rows as JSONL, atomically. */
export async function writeJsonl(file: string, rows: Iterable<unknown>): Promise<void> {
  await writeFileAtomic(file, toJsonl(rows));
}
