import { expect, test } from "vitest";
import { Random } from "../random/random.ts";
import {
  collectResponseValues,
  fillBatch,
  type PlanOptions,
  paddingShare,
  planMicroBatches,
  spreadResponseValues,
  type TrainingSequence,
} from "./micro-batch.ts";

/** Sequences of 6 to 200 tokens whose tokens tell them apart: 1000 * sequence + place. */
const sequences: TrainingSequence[] = Array.from({ length: 40 }, (_, i) => {
  const length = Random.of(1, "lengths", i).integer(6, 200);
  const ids = Array.from({ length }, (_, t) => 1000 * (i + 1) + t);
  return { ids, promptLength: Random.of(1, "prompts", i).integer(1, 5) };
});

const CASES: PlanOptions[] = [
  { tokenBudget: 512 },
  { tokenBudget: 512, isGrid: true },
  { tokenBudget: 512, packTo: 256 },
  { tokenBudget: 16, packTo: 64 },
  { tokenBudget: 8192, workers: 3 },
];

test.each(CASES)(
  "every sequence is read once, and every response token has its slot: %o",
  (options) => {
    const plan = planMicroBatches(sequences, options);
    const seen = new Set<number>();
    const predicted: number[] = [];
    for (const batch of plan) {
      const { T, R, placements } = batch;
      const arrays = fillBatch(batch, sequences, { padTokenId: -1, weight: (i) => i + 1 });
      for (const { index, row, start } of placements) {
        const { ids } = sequences[index] as TrainingSequence;
        expect(seen.has(index)).toBe(false);
        seen.add(index);
        const at = row * T + start;
        expect([...arrays.tokens.subarray(at, at + ids.length - 1)]).toEqual(ids.slice(0, -1));
      }
      const used = Array.from({ length: R }, (_, r) => r).filter((r) => arrays.weights[r] !== 0);
      const targets = used.map((r) => arrays.targets[r] as number);
      // The slot's position holds the token before its target, and its weight is that of the sequence.
      const places = used.map((r) => arrays.slots?.[r] ?? r);
      expect(places.map((at) => arrays.tokens[at])).toEqual(targets.map((target) => target - 1));
      expect(used.map((r) => arrays.weights[r])).toEqual(
        targets.map((target) => Math.floor(target / 1000)),
      );
      predicted.push(...targets);
    }
    expect(seen.size).toBe(sequences.length);
    const responses = sequences.flatMap(({ ids, promptLength }) => ids.slice(promptLength));
    expect(predicted.sort((a, b) => a - b)).toEqual(responses.sort((a, b) => a - b));
  },
);

test("rectangles keep to the token budget, and rows to the length that they are packed to", () => {
  for (const { B, T } of planMicroBatches(sequences, { tokenBudget: 512 })) {
    expect(B * T).toBeLessThanOrEqual(512);
  }
  for (const { T } of planMicroBatches(sequences, { tokenBudget: 1024, packTo: 256 })) {
    expect(T).toBeLessThanOrEqual(256);
  }
});

test("segments and positions start again with each sequence of a packed row", () => {
  const short = [5, 4, 3].map((length) => ({
    ids: Array.from({ length: length + 1 }, (_, t) => t + 1),
    promptLength: 1,
  }));
  const [batch] = planMicroBatches(short, { tokenBudget: 32, packTo: 32 });
  const arrays = fillBatch(batch!, short, { padTokenId: 0, weight: () => 1 });
  expect([...arrays.segments!.subarray(0, 14)]).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 0, 0]);
  expect([...arrays.positions!.subarray(0, 12)]).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 0, 1, 2]);
});

test("values come out of the slots as they went in", () => {
  for (const options of CASES) {
    for (const batch of planMicroBatches(sequences, options)) {
      const valuesOf = (i: number) =>
        (sequences[i] as TrainingSequence).ids.slice(sequences[i]?.promptLength);
      const spread = spreadResponseValues(batch, valuesOf);
      collectResponseValues(batch, sequences, spread, (index, own) => {
        expect([...own]).toEqual(valuesOf(index));
      });
    }
  }
});

test("packing leaves less padding", () => {
  const share = (options: PlanOptions) =>
    paddingShare(planMicroBatches(sequences, options), sequences);
  expect(share({ tokenBudget: 1024, packTo: 256 })).toBeLessThan(share({ tokenBudget: 1024 }));
});
