import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readPuzzles } from "../countdown/index.ts";
import { command } from "./countdown.ts";
import { exitCodeOf } from "./schema-command.ts";

let folder: string;
let stdout: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "habits-cli-"));
  stdout = "";
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

async function run(...args: string[]): Promise<void> {
  stdout = "";
  await command.parseAsync(args, { from: "user" });
}

describe("habits countdown", () => {
  it("generate writes one file, or one for each split", async () => {
    const file = path.join(folder, "p.parquet");
    await run("generate", "--out", file, "--count", "20", "--number-counts", "2,3", "--seed", "5");
    expect(stdout).toBe(`20 puzzles in ${file}\n`);
    expect(await readPuzzles(file)).toHaveLength(20);
    await run("generate", "--out", folder, "--splits", "train=30,test=10", "--json");
    const test = path.join(folder, "test.jsonl");
    expect(JSON.parse(stdout)).toMatchObject({ files: { test: { file: test, puzzles: 10 } } });
    const [train, held] = await Promise.all([
      readPuzzles(path.join(folder, "train.jsonl")),
      readPuzzles(test),
    ]);
    const ids = new Set(train.map((puzzle) => puzzle.id));
    expect(ids.size).toBe(30);
    expect(held.some((puzzle) => ids.has(puzzle.id))).toBe(false);
  });

  it("solve prints the solutions and the share of expressions that hit", async () => {
    await run("solve", "3", "3", "8", "8", "--target", "24");
    expect(stdout).toBe("8 / ( 3 - 8 / 3 ) = 24\n1 of 359 distinct expressions make 24\n");
  });

  it("score adds the score to each row", async () => {
    const file = path.join(folder, "rows.jsonl");
    const row = { numbers: [9, 8, 6], target: 66, completion: "<answer>9*8-6</answer>" };
    await writeFile(file, `${JSON.stringify(row)}\n`);
    await run("score", "--in", file, "--out", file);
    expect(stdout).toBe("1 of 1 correct (100.0 %)\n  correct 1\n");
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual({
      ...row,
      score: 1,
      correct: true,
      reason: "correct",
      answer: "9*8-6",
    });
  });

  it.each([
    [["generate", "--out", "x", "--splits", "train"], /--splits: expected different names/],
    [["generate", "--out", "x", "--min-number", "5", "--max-number", "4"], /number range 5 to 4/],
    [["solve", "1", "2", "x", "--target", "3"], /number/],
    [["score", "--in", "x"], /--out/],
  ])("refuses wrong use with exit code 2: %j", async (args, message) => {
    const error = await run(...args).catch((cause: unknown) => cause);
    expect(String(error)).toMatch(message);
    expect(exitCodeOf(error)).toBe(2);
  });
});
