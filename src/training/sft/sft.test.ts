import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TINY_LLAMA } from "../../../test/golden.ts";
import { readJsonlLines, writeJsonl } from "../../data/jsonl.ts";
import { hashPath } from "../../util/hash.ts";
import type { MetricRow } from "../metrics-file.ts";
import { sftConfigSchema } from "./config.ts";
import { runSft, type SftArguments } from "./sft.ts";

let folder: string;

/** The first word of a completion is `answer` words after the second of its prompt. */
function traces(from: number, count: number, answer = 8) {
  return Array.from({ length: count }, (_, i) => {
    const word = 2 + ((from + i) % 8);
    return {
      query: `w18 w${word} w17`,
      completion: ` w${word + answer}${" w12".repeat(1 + (i % 5))}`,
      condition: "all_strategies",
      puzzle_id: `p${from + i}`,
      numbers: [word],
      target: word,
      correct: true,
      answer: null,
      source: "teacher",
      tokens: 2,
      record: null,
    };
  });
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "sft-test-"));
  await writeJsonl(path.join(folder, "train.jsonl"), traces(0, 24));
  await writeJsonl(path.join(folder, "validation.jsonl"), traces(24, 8));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function run(name: string, config: Record<string, unknown>, more: Partial<SftArguments> = {}) {
  return runSft({
    model: TINY_LLAMA,
    train: path.join(folder, "train.jsonl"),
    validation: path.join(folder, "validation.jsonl"),
    out: path.join(folder, name),
    config: sftConfigSchema.parse({ epochs: 3, batchSize: 8, tokenBudget: 256, ...config }),
    seed: 1,
    ...more,
  });
}

async function cutAndResume(name: string, config: Record<string, unknown>) {
  const controller = new AbortController();
  const cut = run(name, config, {
    signal: controller.signal,
    onProgress: ({ done }) => done === 5 && controller.abort(),
  });
  await expect(cut).rejects.toThrow();
  await run(name, config);
}

test.each([
  { schedule: "linear", weightDecay: 0 },
  { packing: true, evaluateEvery: 2, use: "best" },
])("a run that is cut off and resumed ends in the same bytes: %o", async (config) => {
  await run("whole", config);
  await cutAndResume("cut", config);
  expect(await hashPath(path.join(folder, "cut"))).toBe(await hashPath(path.join(folder, "whole")));
  expect((await readdir(path.join(folder, "cut"))).sort()).toEqual([
    "best",
    "metrics.jsonl",
    "model",
  ]);
});

test("best/ holds the weights of the lowest evaluation loss", async () => {
  // Validation traces with other answers: the loss falls with the form of the completions, and rises with their content.
  await writeJsonl(path.join(folder, "validation.jsonl"), traces(24, 8, 9));
  const config = { learningRate: 0.1, schedule: "constant", epochs: 10, use: "best" };
  const result = await run("best", config);
  const rows: MetricRow[] = [];
  for await (const { value } of readJsonlLines(path.join(folder, "best", "metrics.jsonl"))) {
    rows.push(value as MetricRow);
  }
  const losses = rows.slice(1).flatMap((row) => row["evaluation/loss"] ?? []);
  expect(result.bestEvaluationLoss).toBe(Math.min(...losses));
  expect(result.evaluationLoss).toBeGreaterThan(result.bestEvaluationLoss as number);
  expect(result.model).toBe(path.join(folder, "best", "best"));
  // Evaluating the checkpoint again gives its loss: an update at rate 0 is measured before it acts.
  const again = await run("again", { epochs: 1, learningRate: 1e-12 }, { model: result.model });
  expect(again.evaluationLoss).toBeCloseTo(result.bestEvaluationLoss as number, 4);
});

test("packed batches train to the losses of unpacked ones, up to rounding", async () => {
  const plain = await run("plain", {});
  const packed = await run("packed", { packing: true });
  expect(packed.finalLoss).toBeCloseTo(plain.finalLoss, 3);
});

test("other settings do not go on from a state", async () => {
  const controller = new AbortController();
  const cut = run(
    "cut",
    {},
    {
      signal: controller.signal,
      onProgress: ({ done }) => done === 4 && controller.abort(),
    },
  );
  await expect(cut).rejects.toThrow();
  await expect(run("cut", { batchSize: 4 })).rejects.toMatchObject({
    code: "training.other_settings",
    message: expect.stringContaining("batchSize: 8 -> 4"),
  });
});
