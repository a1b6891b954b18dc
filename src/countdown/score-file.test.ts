import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { scoreFile } from "./score-file.ts";

let folder: string;
let input: string;
let output: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "habits-score-"));
  input = path.join(folder, "in.jsonl");
  output = path.join(folder, "out.jsonl");
});
afterEach(() => rm(folder, { recursive: true }));

const task = { numbers: [9, 8, 6], target: 66 };

async function score(rows: readonly unknown[], options: object = {}) {
  await writeFile(input, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const summary = await scoreFile({ input, output, ...options });
  const text = await readFile(output, "utf8");
  const scored = text.split("\n").filter((line) => line !== "");
  return { summary, rows: scored.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe("scoreFile", () => {
  it("adds the four fields and keeps the others", async () => {
    const { rows, summary } = await score([
      { ...task, completion: "<answer>9*8-6</answer>", note: [1] },
      { ...task, completion: "<answer>9+8</answer>" },
      { ...task, completion: "" },
    ]);
    expect(rows).toEqual([
      {
        ...task,
        completion: "<answer>9*8-6</answer>",
        note: [1],
        score: 1,
        correct: true,
        reason: "correct",
        answer: "9*8-6",
      },
      expect.objectContaining({ score: 0.1, correct: false, reason: "wrong_numbers" }),
      expect.objectContaining({ score: 0, correct: false, reason: "no_answer", answer: null }),
    ]);
    expect(summary).toEqual({
      rows: 3,
      correct: 1,
      meanScore: 1.1 / 3,
      reasons: { correct: 1, wrong_numbers: 1, no_answer: 1 },
    });
  });

  it("reads the completion rows of the sampling stage", async () => {
    const row = { generated: "<answer>9*8-6</answer>", ground_truth: task, step: 3 };
    const { rows } = await score([row]);
    expect(rows).toEqual([expect.objectContaining({ ...row, score: 1 })]);
  });

  it("may write over its input, and uses the legacy reward when asked", async () => {
    const rows = [{ ...task, completion: "<answer>9*8-6</answer>\n" }];
    await score(rows);
    await scoreFile({ input: output, output, legacy: true, responseOnly: true });
    expect(JSON.parse(await readFile(output, "utf8"))).toMatchObject({
      score: 0,
      reason: "no_answer",
    });
  });

  it("has no mean of no rows", async () => {
    expect((await score([])).summary).toEqual({
      rows: 0,
      correct: 0,
      meanScore: null,
      reasons: {},
    });
  });

  it.each([
    [{ numbers: [9, 8, 6], completion: "" }, /line 2: target: expected a whole number/],
    [{ target: 66, completion: "" }, /line 2: numbers: expected a list of whole numbers/],
    [{ ...task }, /line 2: completion: expected the text to score/],
    [{ ...task, numbers: [9, "8"], completion: "" }, /line 2: numbers\.1: /],
    [{ ...task, numbers: [9, -8], completion: "" }, /line 2: .*found numbers \[9, -8\]/],
    [{ ...task, completion: 7 }, /line 2: completion: /],
    [[1], /line 2: /],
  ])("names the line and the field of a bad row and writes nothing: %j", async (bad, message) => {
    const good = { ...task, completion: "" };
    await expect(score([good, bad, good])).rejects.toThrow(message);
    await expect(readFile(output)).rejects.toThrow(/ENOENT/);
  });
});
