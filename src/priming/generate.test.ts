import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drawStudyPuzzles } from "../../test/support/study-puzzles.ts";
import { writePuzzles } from "../countdown/index.ts";
import { readJsonl, writeJsonl } from "../data/jsonl.ts";
import { type Trace, traceSchema } from "../data/rows.ts";
import { generatePriming, type PrimingArguments, primingConfigSchema } from "./generate.ts";
import type { PrimingSummary } from "./summary.ts";
import { encodePieces } from "./vocabulary.ts";

let folder = "";
let puzzles: { train: string; validation: string };

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "priming-"));
  const all = drawStudyPuzzles(160, 9);
  puzzles = { train: path.join(folder, "a.jsonl"), validation: path.join(folder, "b.jsonl") };
  await writePuzzles(puzzles.train, all.slice(0, 120));
  await writePuzzles(puzzles.validation, all.slice(120));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const CONFIG = primingConfigSchema.parse({ train: 80, validation: 20 });

async function write(
  condition: string,
  extra: Partial<PrimingArguments> = {},
): Promise<{ summary: PrimingSummary; train: Trace[]; validation: Trace[]; out: string }> {
  const out = path.join(folder, condition.replace(/\W/gu, "_"));
  const args = { puzzles, out, condition, config: CONFIG, seed: 5, ...extra };
  const summary = await generatePriming(args);
  const [train, validation] = await Promise.all(
    ["train", "validation"].map((name) => readJsonl(path.join(out, `${name}.jsonl`), traceSchema)),
  );
  return { summary, train: train ?? [], validation: validation ?? [], out };
}

describe("the priming stage", () => {
  it("writes as many traces as asked for, and sums them up", async () => {
    const { summary, train, validation, out } = await write("all_strategies");
    expect([train.length, validation.length]).toEqual([80, 20]);
    expect(JSON.parse(await readFile(path.join(out, "summary.json"), "utf8"))).toEqual(summary);
    const mean = train.reduce((sum, { tokens }) => sum + tokens, 0) / 80;
    expect(summary.train.tokens?.mean).toBeCloseTo(mean, 9);
    expect(summary.train.tokens?.histogram.reduce((sum, count) => sum + count, 0)).toBe(80);
    expect(summary.train.correct).toBe(train.filter(({ correct }) => correct).length);
    const checks = train.map(({ record }) => record?.verification.count ?? 0);
    expect(summary.train.habits?.verification.mean).toBeCloseTo(
      checks.reduce((sum, count) => sum + count, 0) / 80,
      9,
    );
    const [first] = train;
    expect(first?.query).toBe(
      `Use ${first?.numbers.join(", ")} to make ${first?.target}.\n<think>`,
    );
  });

  it("gives the same bytes for the same seed, others for another", async () => {
    const { out } = await write("only_backtracking");
    const before = await readFile(path.join(out, "train.jsonl"), "utf8");
    await write("only_backtracking");
    expect(await readFile(path.join(out, "train.jsonl"), "utf8")).toBe(before);
    await write("only_backtracking", { seed: 6 });
    expect(await readFile(path.join(out, "train.jsonl"), "utf8")).not.toBe(before);
  });

  it("makes the controls from the puzzles, answers and lengths of all_strategies, and proves it", async () => {
    const model = await write("all_strategies");
    for (const condition of ["empty_cot", "length_matched"]) {
      const control = await write(condition);
      const { match } = control.summary.train;
      expect(match).toEqual({
        with: "all_strategies",
        puzzles: 80,
        sameAnswer: 80,
        sameTokens: condition === "length_matched" ? 80 : 0,
      });
      const key = ({ puzzle_id, answer }: Trace) => `${puzzle_id} ${answer}`;
      expect(control.train.map(key)).toEqual(model.train.map(key));
    }
    const filler = await write("length_matched");
    const lengths = ({ train }: { train: Trace[] }) =>
      train.map(({ completion }) => encodePieces(completion).length);
    expect(lengths(filler)).toEqual(lengths(model));
  });

  it("matches lengths under another tokenizer too", async () => {
    // Two characters a token: the filler is one token, other text is not what the vocabulary makes of it.
    const tokenizer = { encode: (text: string) => text.match(/..?/gsu)?.map(() => 0) ?? [] };
    const config = { ...CONFIG, maxTokens: 600 };
    const { summary } = await write("length_matched", { tokenizer, config });
    expect(summary.train.match).toMatchObject({ puzzles: 80, sameTokens: 80 });
  });

  it("says which puzzles got no trace when they run out", async () => {
    const config = { ...CONFIG, train: 100, maxTokens: 70 };
    await expect(write("backtracking_verification", { config })).rejects.toMatchObject({
      code: "priming.too_few_puzzles",
      message: expect.stringMatching(/expected 100, found \d+ from 120 puzzles \(\d+ too_long\)/u),
    });
  });

  it("refuses a condition that it does not know, and a missing file of puzzles", async () => {
    await expect(write("none")).rejects.toMatchObject({ code: "priming.unknown_condition" });
    const train = puzzles.train;
    await expect(write("empty_cot", { puzzles: { train } })).rejects.toMatchObject({
      code: "priming.no_puzzles",
    });
  });

  it("stops when it is told to", async () => {
    await expect(write("empty_cot", { signal: AbortSignal.abort() })).rejects.toThrow(/abort/iu);
  });
});

describe("custom traces", () => {
  it("are read from a file, with correctness and tokens found anew", async () => {
    const file = path.join(folder, "custom.jsonl");
    const row = {
      puzzle_id: "x",
      numbers: [9, 8, 6],
      target: 66,
      query: "Use 9, 8, 6 to make 66.\n<think>",
    };
    const right = { ...row, completion: " </think>\n<answer> 9 * 8 - 6 </answer>" };
    const wrong = { ...row, completion: " </think>\n<answer> 9 + 8 + 6 </answer>", correct: true };
    await writeJsonl(file, [right, wrong, right]);
    const config = { ...CONFIG, train: 2, validation: 1 };
    const { train, validation, summary } = await write(`custom:${file}`, { config });
    expect(train.map(({ correct }) => correct)).toEqual([true, false]);
    expect(train.map(({ tokens }) => tokens)).toEqual([9, 9]);
    expect(validation.map(({ answer }) => answer)).toEqual(["9 * 8 - 6"]);
    expect(summary.train).toMatchObject({ traces: 2, correct: 1, habits: undefined });
    await expect(write(`custom:${file}`)).rejects.toMatchObject({ code: "priming.too_few_traces" });
  });
});
