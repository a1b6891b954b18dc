import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeParquet } from "../data/parquet.ts";
import { generatePuzzles } from "./generator.ts";
import { makePuzzle } from "./puzzle.ts";
import { readPuzzles, writePuzzles } from "./puzzle-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "habits-puzzles-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("puzzle files", () => {
  it.each(["p.jsonl", "p.parquet"])("come back as they were written: %s", async (name) => {
    const file = path.join(folder, name);
    const plain = generatePuzzles({ count: 1500 }, 1);
    const annotated = generatePuzzles({ count: 5, numberCounts: [3], annotate: true }, 2);
    const puzzles = [...plain, ...annotated];
    await writePuzzles(file, puzzles);
    expect(await readPuzzles(file)).toEqual(puzzles);
  });

  it.each(["p.jsonl", "p.parquet"])("have equal bytes for equal puzzles: %s", async (name) => {
    const [a, b] = [path.join(folder, name), path.join(folder, `again-${name}`)];
    for (const file of [a, b]) await writePuzzles(file, generatePuzzles({ count: 50 }, 3));
    expect((await readFile(a)).equals(await readFile(b))).toBe(true);
  });

  it("may hold no puzzle at all", async () => {
    for (const name of ["none.jsonl", "none.parquet"]) {
      const file = path.join(folder, name);
      await writePuzzles(file, []);
      expect(await readPuzzles(file)).toEqual([]);
    }
  });

  it("may have the public shape, in JSONL and parquet", async () => {
    const rows = [
      { nums: [44, 19, 35], target: 98 },
      { nums: [63, 95, 96], target: 64 },
    ];
    const expected = rows.map(({ nums, target }) => makePuzzle(nums, target, "public"));
    const jsonl = path.join(folder, "public.jsonl");
    await writeFile(jsonl, rows.map((row) => JSON.stringify(row)).join("\n"));
    expect(await readPuzzles(jsonl)).toEqual(expected);
    const parquet = path.join(folder, "public.parquet");
    await writeParquet(parquet, rows, [
      { name: "target", type: "int64" },
      { name: "nums", type: { list: "int64" } },
    ]);
    expect(await readPuzzles(parquet)).toEqual(expected);
  });

  it("are refused with the line and the field of a bad row", async () => {
    const file = path.join(folder, "bad.jsonl");
    const good = JSON.stringify(makePuzzle([1, 2], 3, "a"));
    await writeFile(file, `${good}\n{"id":"x","numbers":[1,2],"split":"a"}\n`);
    await expect(readPuzzles(file)).rejects.toThrow(/line 2: target/);
    await writeFile(file, `${good}\n${good.replace("[1,2]", "[1,4]")}\n`);
    await expect(readPuzzles(file)).rejects.toThrow(/line 2: expected the id/);
    await expect(readPuzzles(path.join(folder, "none.jsonl"))).rejects.toThrow(/ENOENT/);
    await expect(readPuzzles(path.join(folder, "none.parquet"))).rejects.toThrow(/ENOENT/);
  });
});
