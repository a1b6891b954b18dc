import { describe, expect, test } from "vitest";
import { completeOptions } from "./bench-model.ts";
import { BENCH_KINDS, type BenchOptions, forwardFlops, openBenchWork } from "./bench-work.ts";

const OPTIONS: BenchOptions = {
  dModel: 8,
  layers: 1,
  heads: 2,
  kvHeads: 1,
  dFf: 16,
  vocab: 10,
  batch: 4,
  seq: 8,
  prompt: 3,
  new: 5,
  device: "cpu",
  workers: 1,
  threads: 1,
  tokenBudget: 64,
};

test("operations of a token, counted by hand", () => {
  // embedding 10·8, query/key/value (8 + 4 + 4)·8, attention output 8·8, gate and up 2·16·8, down 8·16
  const weights = 80 + 128 + 64 + 256 + 128;
  // scores and mixing: 2 heads of size 4, 2 operations each, over 6 positions
  expect(forwardFlops(OPTIONS, 6)).toBe(2 * weights + 2 * 2 * 2 * 4 * 6);
});

describe.each(BENCH_KINDS)("%s", (kind) => {
  test("rounds run on grouped heads and count their tokens", async () => {
    await using work = await openBenchWork(kind, OPTIONS);
    await work.round();
    await work.round();
    expect(work.tokens).toBe(kind === "train" ? 32 : 20);
  }, 60_000);
});

test("sizes that do not divide are named together", () => {
  const { workers: _workers, ...given } = OPTIONS;
  expect(() => completeOptions({ ...given, rounds: 1, dModel: 6, heads: 4, kvHeads: 3 })).toThrow(
    "--d-model 6 is not a multiple of 2 x 4 heads; --heads 4 is not a multiple of --kv-heads 3",
  );
  expect(completeOptions({ ...given, rounds: 1, device: "webgpu" }).workers).toBe(1);
});
