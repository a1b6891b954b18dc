/**
 * Parquet files of plain rows. Whole numbers are stored as int64 and read back as numbers, with a range check both ways;
 * lists and structs nest. Reading takes any codec that hyparquet-compressors knows; writing uses Snappy. The whole table is
 * held in memory.
 */
import { readFile } from "node:fs/promises";
import { parquetReadObjects, type SchemaElement } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { ByteWriter, parquetWrite } from "hyparquet-writer";
import { DataError, HabitsError, messageOf } from "../util/errors.ts";
import { writeFileAtomic } from "./atomic.ts";

/** Type of a column or of a part of one. */
export type ParquetType =
  | "string"
  | "int64"
  | "double"
  | "boolean"
  | { readonly list: ParquetType }
  | { readonly struct: Readonly<Record<string, ParquetType>> };

export interface ParquetColumn {
  readonly name: string;
  readonly type: ParquetType;
  /** The value may be missing (null or undefined). Default false. */
  readonly optional?: boolean;
}

/** A row as read: null members are left out. */
export type ParquetRow = Record<string, unknown>;

/**
 * Writes rows as a parquet file, atomically. Members of a row that have no column are not written.
 * @throws DataError `data.bad_parquet_value` naming row and column of a value that does not fit its column
 */
export async function writeParquet(
  file: string,
  rows: readonly object[],
  columns: readonly ParquetColumn[],
): Promise<void> {
  const schema: SchemaElement[] = [{ name: "root", num_children: columns.length }];
  for (const { name, type, optional } of columns) {
    schema.push(...schemaElements(name, type, optional === true ? "OPTIONAL" : "REQUIRED"));
  }
  const columnData = columns.map(({ name, type, optional }) => ({
    name,
    data: rows.map((row, i) => {
      const value = (row as Record<string, unknown>)[name];
      if (optional === true && (value === undefined || value === null)) return undefined;
      return toStored(value, type, `writing "${file}", row ${i + 1}, column "${name}"`);
    }),
  }));
  const writer = new ByteWriter();
  await parquetWrite({ writer, schema, columnData });
  await writeFileAtomic(file, writer.getBytes());
}

/**
 * Reads every row of a parquet file.
 * @throws DataError `data.read_failed` when it is no readable parquet file, `data.bad_parquet_value` for an integer beyond 2^53 - 1
 */
export async function readParquet(file: string): Promise<ParquetRow[]> {
  try {
    const bytes = await readFile(file);
    const start = bytes.byteOffset;
    const buffer = bytes.buffer.slice(start, start + bytes.byteLength) as ArrayBuffer;
    const rows = await parquetReadObjects({ file: buffer, compressors });
    return rows.map((row, i) => fromStored(row, `reading "${file}", row ${i + 1}`) as ParquetRow);
  } catch (cause) {
    if (cause instanceof HabitsError) throw cause;
    throw new DataError(`reading "${file}": ${messageOf(cause)}`, {
      code: "data.read_failed",
      hint: "check the path, and that it is a whole parquet file",
      cause,
    });
  }
}

type Repetition = "REQUIRED" | "OPTIONAL";

function schemaElements(name: string, type: ParquetType, repetition: Repetition): SchemaElement[] {
  const head = { name, repetition_type: repetition };
  if (type === "string") return [{ ...head, type: "BYTE_ARRAY", converted_type: "UTF8" }];
  if (type === "int64") return [{ ...head, type: "INT64" }];
  if (type === "double") return [{ ...head, type: "DOUBLE" }];
  if (type === "boolean") return [{ ...head, type: "BOOLEAN" }];
  if ("list" in type) {
    return [
      { ...head, converted_type: "LIST", num_children: 1 },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      ...schemaElements("element", type.list, "REQUIRED"),
    ];
  }
  const members = Object.entries(type.struct);
  return [
    { ...head, num_children: members.length },
    ...members.flatMap(([member, memberType]) => schemaElements(member, memberType, "REQUIRED")),
  ];
}

/** Value as the writer wants it: int64 as BigInt. */
function toStored(value: unknown, type: ParquetType, where: string): unknown {
  if (typeof type === "string") {
    if (type === "int64" && Number.isSafeInteger(value)) return BigInt(value as number);
    if (type === "string" && typeof value === "string") return value;
    if (type === "double" && typeof value === "number") return value;
    if (type === "boolean" && typeof value === "boolean") return value;
    throw badValue(where, `a value of type ${type}`, value);
  }
  if ("list" in type) {
    if (!Array.isArray(value)) throw badValue(where, "a list", value);
    return value.map((item, i) => toStored(item, type.list, `${where}[${i}]`));
  }
  if (value === null || typeof value !== "object") throw badValue(where, "an object", value);
  const members = Object.entries(type.struct).map(([name, memberType]) => [
    name,
    toStored((value as Record<string, unknown>)[name], memberType, `${where}.${name}`),
  ]);
  return Object.fromEntries(members);
}

/** Value as rows hold it: int64 as number, nulls left out of objects. */
function fromStored(value: unknown, where: string): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    throw badValue(where, "a whole number within 2^53 - 1", value);
  }
  if (Array.isArray(value)) return value.map((item, i) => fromStored(item, `${where}[${i}]`));
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return Array.from(value as unknown as Iterable<unknown>, (item) => fromStored(item, where));
  }
  if (value === null || typeof value !== "object" || value instanceof Date) return value;
  const members: [string, unknown][] = [];
  for (const [name, member] of Object.entries(value)) {
    if (member === null || member === undefined) continue;
    members.push([name, fromStored(member, `${where}, "${name}"`)]);
  }
  return Object.fromEntries(members);
}

function badValue(where: string, expected: string, found: unknown): DataError {
  const shown = typeof found === "bigint" ? String(found) : JSON.stringify(found);
  return new DataError(
    `${where}: expected ${expected}, found ${(shown ?? "nothing").slice(0, 60)}`,
    {
      code: "data.bad_parquet_value",
      hint: "see docs/methods/files.md for the fields of each kind of file",
    },
  );
}
