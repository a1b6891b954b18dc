/**
 * JSONL files: one JSON value a line, UTF-8. A torn final line (no line feed, not valid JSON) is what a killed writer
 * leaves behind; it counts as not written. Any other broken line is an error.
 */
import { createReadStream } from "node:fs";
import type { z } from "zod";
import { DataError, messageOf } from "../util/errors.ts";
import { writeFileAtomic, writeTextAtomic } from "./atomic.ts";

/** A parsed line of a JSONL file. */
export interface JsonlLine {
  /** Line number, from 1. */
  readonly line: number;
  readonly value: unknown;
}

/**
 * Yields the parsed values of a JSONL file with their line numbers; blank lines are passed over.
 * @throws DataError `data.bad_json` with file and line for a broken line that is not the torn last one; `data.read_failed` when the file cannot be read
 */
export async function* readJsonlLines(file: string): AsyncGenerator<JsonlLine> {
  let line = 0;
  for await (const { text, ended } of readLines(file)) {
    line += 1;
    if (text.trim() === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      if (!ended) return;
      throw new DataError(
        `reading "${file}", line ${line}: expected one JSON value, found "${text.slice(0, 60)}"`,
        { code: "data.bad_json", hint: "repair or remove that line", cause },
      );
    }
    yield { line, value };
  }
}

/** Lines of a text file without their line feed; `ended` tells whether there was one. */
async function* readLines(file: string): AsyncGenerator<{ text: string; ended: boolean }> {
  let rest = "";
  let isFirst = true;
  try {
    for await (const chunk of createReadStream(file, { encoding: "utf8" })) {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      if (isFirst && lines[0] !== undefined) lines[0] = withoutMark(lines[0]);
      isFirst &&= lines.length === 0;
      for (const text of lines) yield { text, ended: true };
    }
  } catch (cause) {
    throw new DataError(`reading "${file}": ${messageOf(cause)}`, {
      code: "data.read_failed",
      hint: "check the path",
      cause,
    });
  }
  if (rest !== "") yield { text: isFirst ? withoutMark(rest) : rest, ended: false };
}

/** Text without a byte order mark. */
function withoutMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
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

/** Writes rows as JSONL, atomically; the file may be larger than the longest string. */
export async function writeJsonl(
  file: string,
  rows: Iterable<unknown> | AsyncIterable<unknown>,
): Promise<void> {
  if (Array.isArray(rows) && rows.length < 1000) return writeFileAtomic(file, toJsonl(rows));
  await writeTextAtomic(file, jsonlChunks(rows));
}

async function* jsonlChunks(
  rows: Iterable<unknown> | AsyncIterable<unknown>,
): AsyncGenerator<string> {
  let text = "";
  for await (const row of rows) {
    text += `${JSON.stringify(row)}\n`;
    if (text.length < 1 << 20) continue;
    yield text;
    text = "";
  }
  yield text;
}
