import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import {
  drawCandidate,
  filterDistribution,
  hasFilter,
  logSumExp,
  softmaxOf,
} from "./distribution.ts";

interface Golden {
  readonly logits: Readonly<Record<string, readonly number[]>>;
  readonly cases: readonly {
    readonly logits: string;
    readonly temperature: number;
    readonly top_k?: number;
    readonly top_p?: number;
    readonly min_p?: number;
    readonly probabilities: readonly number[];
  }[];
}

const golden = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "../../../test/golden/sampling.json"), "utf8"),
) as Golden;

/** Probabilities are kept in float32: half a unit in its last place, for values up to 1. */
const TOLERANCE = 2e-7;

function nameOf({ logits, temperature, top_k, top_p, min_p }: Golden["cases"][number]): string {
  return `${logits} temperature ${temperature} top-k ${top_k} top-p ${top_p} min-p ${min_p}`;
}

test.each(golden.cases.map((entry) => [nameOf(entry), entry] as const))(
  "the distribution is that of transformers' warpers: %s",
  (_name, entry) => {
    const logits = Float32Array.from(golden.logits[entry.logits] as number[]);
    const V = logits.length;
    // Stands at an offset, as a row of a batch does.
    const batch = new Float32Array(3 * V).fill(9);
    batch.set(softmaxOf(logits, 0, V, 1 / entry.temperature), V);
    const filters = { topK: entry.top_k, topP: entry.top_p, minP: entry.min_p };
    const { ids, probabilities } = filterDistribution(batch, V, V, filters);
    const found = new Array<number>(V).fill(0);
    ids.forEach((id, i) => {
      found[id] = probabilities[i] as number;
    });
    for (let id = 0; id < V; id += 1) {
      const expected = entry.probabilities[id] as number;
      expect(Math.abs((found[id] as number) - expected)).toBeLessThan(TOLERANCE);
      // Removed is removed, not merely unlikely; what float32 cannot hold counts as removed.
      if (expected > 1e-37) expect(found[id]).toBeGreaterThan(0);
      else expect(found[id]).toBeLessThan(1e-37);
    }
  },
);

describe("filters by hand", () => {
  const probabilities = Float32Array.of(0.125, 0.5, 0.25, 0.125);
  const idsOf = (filters: Parameters<typeof filterDistribution>[3]) =>
    filterDistribution(probabilities, 0, 4, filters).ids;

  test("top-p keeps the tokens before which less than p was kept", () => {
    expect(idsOf({ topP: 0.5 })).toEqual([1]); // 0.5 is reached by the first
    expect(idsOf({ topP: 0.51 })).toEqual([1, 2]);
    expect(idsOf({ topP: 0.75 })).toEqual([1, 2]);
    expect(idsOf({ topP: 0.8 })).toEqual([0, 1, 2]); // of two equals the lower id
    expect(idsOf({ topP: 0 })).toEqual([1]); // at least one
  });

  test("top-k keeps every token that ties with the k-th", () => {
    expect(idsOf({ topK: 2 })).toEqual([1, 2]);
    expect(idsOf({ topK: 3 })).toEqual([0, 1, 2, 3]);
  });

  test("top-p counts the share of what top-k left", () => {
    // After top-k 2: 2/3 and 1/3.
    expect(idsOf({ topK: 2, topP: 0.6 })).toEqual([1]);
    expect(idsOf({ topK: 2, topP: 0.7 })).toEqual([1, 2]);
  });

  test("min-p compares with the likeliest token", () => {
    expect(idsOf({ minP: 0.5 })).toEqual([1, 2]);
    expect(idsOf({ minP: 0.51 })).toEqual([1]);
    expect(idsOf({ minP: 0.25 })).toEqual([0, 1, 2, 3]);
  });

  test("a filter that keeps everything is none", () => {
    expect(hasFilter({}, 4)).toBe(false);
    expect(hasFilter({ topK: 4, topP: 1, minP: 0 }, 4)).toBe(false);
    expect(hasFilter({ topK: 3 }, 4)).toBe(true);
    expect(hasFilter({ topP: 0.99 }, 4)).toBe(true);
    expect(hasFilter({ minP: 0.01 }, 4)).toBe(true);
  });

  test("a draw takes the first candidate whose cumulative probability exceeds u", () => {
    const candidates = filterDistribution(probabilities, 0, 4, { topK: 2 });
    expect([0, 0.66, 0.67, 1].map((u) => candidates.ids[drawCandidate(candidates, u)])).toEqual([
      1, 1, 2, 2,
    ]);
  });
});

test("a long tail is kept by top-p as far as it is needed", () => {
  // 1 token of 0.5 and 50,000 equal ones that share the other half: 0.9 needs 40,000 of them.
  const V = 50_001;
  const probabilities = new Float32Array(V).fill(0.5 / 50_000);
  probabilities[V - 1] = 0.5;
  const { ids } = filterDistribution(probabilities, 0, V, { topP: 0.9 });
  expect(Math.abs(ids.length - 40_001)).toBeLessThanOrEqual(1); // float32 rounding of 1e-5
  expect(ids[0]).toBe(0);
  expect(ids.at(-1)).toBe(V - 1);
});

test("log-sum-exp is the logarithm of the softmax denominator, also for large logits", () => {
  expect(logSumExp(Float32Array.of(0, 0, 0, 0), 0, 4)).toBeCloseTo(Math.log(4), 12);
  expect(logSumExp(Float32Array.of(9, 1000, 1000), 1, 2)).toBeCloseTo(1000 + Math.log(2), 9);
});
