import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readJsonl } from "../data/jsonl.ts";
import { writeParquet } from "../data/parquet.ts";
import { behaviourRowSchema } from "../data/rows.ts";
import { judgeExact } from "./judge-exact.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "judge-"));
});
afterEach(() => rm(folder, { recursive: true }));

const file = (name: string): string => path.join(folder, name);
const ROW = {
  puzzle_id: "a",
  generated: "9 + 8 = 17, not 66. Go back. 9 * 8 = 72",
  ground_truth: { target: 66, numbers: [9, 8, 6] },
};

async function judgeLines(lines: readonly unknown[], options = {}) {
  await writeFile(file("in.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const summary = await judgeExact({
    input: file("in.jsonl"),
    output: file("out.jsonl"),
    ...options,
  });
  return { summary, rows: await readJsonl(file("out.jsonl"), behaviourRowSchema) };
}

describe("the judge stage", () => {
  it("writes one behaviour row for each completion row, in order", async () => {
    const second = { ...ROW, puzzle_id: "b", generated: "", step: 40, sample: 3, other: [1] };
    const { rows, summary } = await judgeLines([ROW, second]);
    expect(rows[0]).toEqual({
      puzzle_id: "a",
      step: 0,
      sample: 0,
      judge: "exact",
      verification: { count: 1, spans: [{ start: 12, end: 18, valid: true }] },
      backtracking: { count: 1, spans: [{ start: 20, end: 27 }] },
      subgoal_setting: { count: 0, spans: [] },
      backward_chaining: { count: 0, spans: [] },
    });
    expect(rows[1]).toMatchObject({ puzzle_id: "b", step: 40, sample: 3 });
    expect(summary).toEqual({
      rows: 2,
      failed: {},
      means: { verification: 0.5, backtracking: 0.5, subgoal_setting: 0, backward_chaining: 0 },
    });
  });

  it("gives a text that is too long null counts with the reason, and leaves it out of the means", async () => {
    const { rows, summary } = await judgeLines([ROW, { ...ROW, generated: "x".repeat(101) }], {
      maxTextLength: 100,
    });
    expect(rows[1]?.verification).toEqual({ count: null, reason: "text_too_long", spans: [] });
    expect(summary.failed).toEqual({ text_too_long: 1 });
    expect(summary.means.verification).toBe(1);
  });

  it("has no mean without a judged row", async () => {
    expect((await judgeLines([])).summary.means.verification).toBeNull();
  });

  it("reads parquet", async () => {
    await writeParquet(
      file("in.parquet"),
      [ROW],
      [
        { name: "puzzle_id", type: "string" },
        { name: "generated", type: "string" },
        {
          name: "ground_truth",
          type: { struct: { target: "int64", numbers: { list: "int64" } } },
        },
      ],
    );
    await judgeExact({ input: file("in.parquet"), output: file("out.jsonl") });
    const [row] = await readJsonl(file("out.jsonl"), behaviourRowSchema);
    expect(row?.verification.count).toBe(1);
  });

  it("names file, line and field of a bad row and writes nothing", async () => {
    const { generated: _, ...lacking } = ROW;
    await expect(judgeLines([ROW, lacking])).rejects.toThrow(/in\.jsonl", line 2: generated/);
    await expect(readFile(file("out.jsonl"))).rejects.toThrow(/ENOENT/);
  });

  it("stops when it is aborted", async () => {
    await expect(judgeLines([ROW], { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });

  it("asks for a JSONL output", async () => {
    await expect(judgeLines([ROW], { output: file("out.parquet") })).rejects.toMatchObject({
      code: "usage.judge_output",
    });
  });
});
