import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { parquetMetadata } from "hyparquet";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ParquetColumn, readParquet, writeParquet } from "./parquet.ts";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "habits-parquet-"));
  file = path.join(folder, "rows.parquet");
});
afterEach(() => rm(folder, { recursive: true }));

const COLUMNS: readonly ParquetColumn[] = [
  { name: "text", type: "string" },
  { name: "whole", type: "int64" },
  { name: "real", type: "double" },
  { name: "flag", type: "boolean" },
  { name: "maybe", type: "int64", optional: true },
  { name: "list", type: { list: "int64" } },
  { name: "messages", type: { list: { struct: { role: "string", content: "string" } } } },
  { name: "truth", type: { struct: { target: "int64", numbers: { list: "int64" } } } },
];

const whole = fc.maxSafeInteger();
const row = fc
  .record(
    {
      text: fc.string({ unit: "grapheme" }),
      whole,
      real: fc.double({ noNaN: true }),
      flag: fc.boolean(),
      list: fc.array(whole, { maxLength: 5 }),
      messages: fc.array(fc.record({ role: fc.string(), content: fc.string() }), { maxLength: 3 }),
      truth: fc.record({ target: whole, numbers: fc.array(whole, { maxLength: 4 }) }),
      maybe: whole,
    },
    { requiredKeys: ["text", "whole", "real", "flag", "list", "messages", "truth"] },
  )
  .map((value) => ({ ...value }));

describe("parquet files", () => {
  it("come back as they were written", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 20 }), async (rows) => {
        await writeParquet(file, rows, COLUMNS);
        expect(await readParquet(file)).toEqual(rows);
      }),
      { numRuns: 40 },
    );
  });

  it("hold several groups of rows", async () => {
    const rows = Array.from({ length: 2500 }, (_, i) => ({ whole: i, list: [i, i - 7] }));
    const columns = COLUMNS.filter(({ name }) => name === "whole" || name === "list");
    await writeParquet(file, rows, columns);
    expect(await readParquet(file)).toEqual(rows);
  });

  it("store whole numbers as int64 and lists with three levels", async () => {
    await writeParquet(file, [], COLUMNS);
    const bytes = await readFile(file);
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    const { schema } = parquetMetadata(buffer as ArrayBuffer);
    const at = schema.findIndex((element) => element.name === "list");
    expect(schema.find((element) => element.name === "whole")?.type).toBe("INT64");
    expect(schema.slice(at, at + 3)).toMatchObject([
      { converted_type: "LIST", repetition_type: "REQUIRED", num_children: 1 },
      { name: "list", repetition_type: "REPEATED" },
      { name: "element", type: "INT64" },
    ]);
  });

  it("are not written with a value that does not fit, and the place is named", async () => {
    const write = (value: unknown) =>
      writeParquet(
        file,
        [{ list: [1] }, { list: value }],
        [{ name: "list", type: { list: "int64" } }],
      );
    await expect(write([1, 2.5])).rejects.toThrow(/row 2, column "list"\[1\]: .*int64, found 2.5/);
    await expect(write([2 ** 53])).rejects.toThrow(/found 9007199254740992/);
    await expect(write(undefined)).rejects.toThrow(/expected a list, found nothing/);
  });

  it("say what is wrong when they are none", async () => {
    await writeFile(file, "this is no parquet file");
    await expect(readParquet(file)).rejects.toThrow(/reading ".*rows.parquet": /);
  });
});
