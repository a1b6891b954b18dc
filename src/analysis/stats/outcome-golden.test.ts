/** Odds ratios, robust errors, Holm and paired tests against statsmodels and SciPy (test/golden/outcomes.py). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  estimateShareOfSums,
  fitLogistic,
  holmAdjust,
  type Interval,
  mantelHaenszel,
  oddsRatioOf,
  pairedTest,
  passAtK,
} from "./index.ts";

const golden = JSON.parse(
  readFileSync(new URL("../../../test/golden/outcomes.json", import.meta.url), "utf8"),
);

/** Relative agreement; Newton stops at 1e-10 in a coefficient. */
const RELATIVE = 1e-8;

function expectClose(found: number, expected: number, relative = RELATIVE): void {
  expect(Math.abs(found - expected)).toBeLessThanOrEqual(relative * Math.abs(expected));
}

function defined(interval: Interval) {
  if (interval.kind === "undefined") throw new Error(interval.reason);
  return interval;
}

describe("Mantel-Haenszel", () => {
  it("agrees with statsmodels in odds ratio and interval", () => {
    for (const { strata, oddsRatio, lower, upper } of golden.mantelHaenszel) {
      const tables = strata.map((rows: number[][]) => {
        const [withSolved, withUnsolved, withoutSolved, withoutUnsolved] = rows.flat() as [
          number,
          number,
          number,
          number,
        ];
        return { withSolved, withUnsolved, withoutSolved, withoutUnsolved };
      });
      const found = mantelHaenszel(tables);
      expectClose(found.oddsRatio ?? Number.NaN, oddsRatio);
      expectClose(defined(found.interval).lower, lower);
      expectClose(defined(found.interval).upper, upper);
    }
  });

  it("weighs the difference of shares by stratum and passes over strata with one kind of row", () => {
    const table = (a: number, b: number, c: number, d: number) => ({
      withSolved: a,
      withUnsolved: b,
      withoutSolved: c,
      withoutUnsolved: d,
    });
    // Weights 10*10/20 = 5 and 2*6/8 = 1.5; differences 0.8 - 0.3 and 0.5 - 0.5.
    const found = mantelHaenszel([table(8, 2, 3, 7), table(1, 1, 3, 3), table(9, 0, 0, 0)]);
    expect(found.difference).toBeCloseTo((5 * 0.5) / 6.5, 12);
    expect(found.strata).toBe(2);
  });

  it("has no odds ratio where nothing was solved", () => {
    const none = { withSolved: 0, withUnsolved: 5, withoutSolved: 0, withoutUnsolved: 7 };
    expect(mantelHaenszel([none])).toMatchObject({ oddsRatio: null, difference: 0 });
  });
});

describe("logistic regression", () => {
  it("agrees with statsmodels in coefficients, clustered errors and interval", () => {
    for (const row of golden.logistic) {
      const fit = fitLogistic({
        design: Float64Array.from(row.design),
        columns: row.columns,
        outcome: Uint8Array.from(row.outcome),
        clusters: Int32Array.from(row.clusters),
      });
      if (fit.kind === "undefined") throw new Error(fit.reason);
      fit.coefficients.forEach((value, i) => {
        expectClose(value, row.coefficients[i]);
      });
      fit.standardErrors.forEach((value, i) => {
        expectClose(value, row.standardErrors[i]);
      });
      const { oddsRatio, interval } = oddsRatioOf(fit, 1);
      expectClose(oddsRatio, row.oddsRatio);
      expectClose(defined(interval).lower, row.lower);
      expectClose(defined(interval).upper, row.upper);
    }
  });

  it("gives a reason for a column that separates, and for columns that say the same", () => {
    const clusters = Int32Array.from([0, 1, 2, 3, 4, 5]);
    const outcome = Uint8Array.from([0, 0, 0, 1, 1, 1]);
    const separated = Float64Array.from([1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1]);
    expect(fitLogistic({ design: separated, columns: 2, outcome, clusters })).toMatchObject({
      kind: "undefined",
      reason: expect.stringContaining("separates"),
    });
    const equal = Float64Array.from([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect(fitLogistic({ design: equal, columns: 2, outcome, clusters })).toMatchObject({
      reason: expect.stringContaining("do not determine"),
    });
  });
});

it("Holm agrees with statsmodels and leaves tests without a p-value out of the family", () => {
  for (const { p, adjusted } of golden.holm) {
    holmAdjust(p).forEach((value, i) => {
      expectClose(value as number, adjusted[i]);
    });
  }
  expect(holmAdjust([0.02, null, 0.03])).toEqual([0.04, null, 0.04]);
});

describe("the paired test", () => {
  it("agrees with SciPy over seeds, one puzzle each", () => {
    for (const { differences, p } of golden.pairedT) {
      const seeds = differences.map((value: number, seed: number) => ({
        seed,
        puzzles: ["a", "b"],
        values: [value, value],
      }));
      const zero = seeds.map((one: object) => ({ ...one, values: [0, 0] }));
      const test = pairedTest(seeds, zero);
      expect(test).toMatchObject({ over: "seeds", seeds: differences.length, puzzles: 2 });
      expectClose(test.pValue as number, p);
    }
  });

  it("tests over puzzles with one seed, and not at all without spread", () => {
    const of = (values: number[]) => [{ seed: 1, puzzles: ["a", "b", "c"], values }];
    expect(pairedTest(of([1, 0, 1]), of([0, 0, 0]))).toMatchObject({ over: "puzzles", seeds: 1 });
    expect(pairedTest(of([1, 1, 1]), of([0, 0, 0]))).toMatchObject({ over: null, pValue: null });
  });
});

describe("pass@k", () => {
  it("is the share of subsets of size k that hold a right sample", () => {
    const subsets = (n: number, k: number): number[][] =>
      Array.from({ length: 2 ** n }, (_, mask) =>
        Array.from({ length: n }, (_, i) => i).filter((i) => (mask >> i) % 2 === 1),
      ).filter((subset) => subset.length === k);
    for (const [n, c, k] of [
      [5, 0, 2],
      [5, 2, 1],
      [5, 2, 3],
      [6, 1, 4],
      [6, 5, 2],
    ] as const) {
      const all = subsets(n, k);
      const hit = all.filter((subset) => subset.some((i) => i < c)).length;
      expect(passAtK(n, c, k)).toBeCloseTo(hit / all.length, 12);
    }
  });

  it("refuses more samples than there are", () => {
    expect(() => passAtK(3, 1, 4)).toThrow(RangeError);
  });
});

it("a share of instances weighs puzzles by their instances, and its error by puzzle", () => {
  // 3 of 4 and 0 of 2: share 0.5. Residuals 3 - 2 and 0 - 1: error sqrt(2/1 * 2) / 6; t(0.975, 1) = 12.706.
  const one = { seed: 1, hits: [3, 0], totals: [4, 2] };
  const found = estimateShareOfSums([one]);
  expect(found.value).toBe(0.5);
  expect(found.interval).toMatchObject({ over: "puzzles", lower: 0, upper: 1 });
  // Two seeds with 0.5 and 0.7: mean 0.6, error 0.1.
  const two = estimateShareOfSums([one, { seed: 2, hits: [7], totals: [10] }]);
  expect(two.value).toBeCloseTo(0.6, 12);
  expect(two.interval).toMatchObject({ over: "seeds" });
  expect(estimateShareOfSums([{ seed: 1, hits: [0], totals: [0] }]).value).toBeNull();
});
