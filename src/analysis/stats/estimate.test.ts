/** Estimates over seeds: values by hand and the labelled fallbacks; coverage is in coverage.slow.test.ts. */
import { describe, expect, it } from "vitest";
import { Random } from "../../random/random.ts";
import {
  bootstrapInterval,
  estimateDifference,
  estimateMean,
  estimateRatio,
  type SeedSample,
  wilsonInterval,
} from "./index.ts";

const random = () => Random.of(7, "bootstrap");

function sample(seed: number, values: readonly number[]): SeedSample {
  return { seed, puzzles: values.map((_, at) => `p${at}`), values };
}

function ones(n: number, of: number): number[] {
  return Array.from({ length: of }, (_, at) => Number(at < n));
}

describe("the mean of an arm", () => {
  it("has a t interval over seed means, whatever the number of puzzles", () => {
    // Seed means 0.2, 0.4, 0.6: mean 0.4, standard error 0.2 / sqrt 3, t(0.975, 2) = 4.302653.
    const found = estimateMean(
      [2, 4, 6].map((n, s) => sample(s, ones(n, 10))),
      "count",
    );
    expect(found.value).toBeCloseTo(0.4, 12);
    expect(found.seedLevelMissing).toBeNull();
    expect(found.interval).toMatchObject({ kind: "interval", over: "seeds", method: "t" });
    const half = (4.302652729911275 * 0.2) / Math.sqrt(3);
    expect(found.interval.kind === "interval" && found.interval.upper).toBeCloseTo(0.4 + half, 9);
  });

  it("stays in [0, 1] for a share", () => {
    const found = estimateMean(
      [0, 1, 4].map((n, s) => sample(s, ones(n, 10))),
      "share",
    );
    expect(found.interval).toMatchObject({ lower: 0 });
  });

  it("falls back to Wilson over puzzles for one seed, and says so", () => {
    const found = estimateMean([sample(1, ones(3, 10))], "share");
    expect(found.interval).toEqual(wilsonInterval(3, 10, { over: "puzzles" }));
    expect(found.seedLevelMissing).toContain("needs at least two");
  });

  it("does not take seeds that agree exactly for certainty", () => {
    const found = estimateMean([sample(1, ones(0, 40)), sample(2, ones(0, 40))], "share");
    expect(found.seedLevelMissing).toContain("the same value");
    expect(found.interval).toEqual(wilsonInterval(0, 40, { over: "puzzles" }));
    const counts = estimateMean([sample(1, [2, 2]), sample(2, [2, 2])], "count");
    expect(counts.interval.kind).toBe("undefined");
  });

  it("is not measured without values", () => {
    expect(estimateMean([], "share")).toMatchObject({
      value: null,
      interval: { kind: "undefined" },
    });
    expect(estimateMean([sample(1, [])], "share").value).toBeNull();
  });
});

describe("the paired difference", () => {
  it("uses only seeds and puzzles that both arms have, by their names and not by their place", () => {
    const a = [{ seed: 1, puzzles: ["x", "y", "z"], values: [1, 0, 1] }, sample(9, [1, 1])];
    const b = [{ seed: 1, puzzles: ["z", "x"], values: [0, 1] }];
    const found = estimateDifference(a, b, { random: random() });
    expect(found.bySeed).toEqual([{ seed: 1, value: 0.5 }]); // x: 1 - 1, z: 1 - 0
  });

  it("is far narrower than the unpaired spread where both arms fail on the same puzzles", () => {
    const hard = ones(30, 60);
    const a = [sample(1, hard), sample(2, ones(33, 60)), sample(3, ones(27, 60))];
    const b: SeedSample[] = a.map((one) => ({
      ...one,
      values: one.values.map((v, at) => (at === 0 ? 0 : v)),
    }));
    b[0] = sample(
      1,
      ones(28, 60).map((v, at) => (at < 2 ? 0 : v)),
    );
    const found = estimateDifference(a, b, { random: random() });
    const arm = estimateMean(a, "count").interval;
    if (found.interval.kind !== "interval" || arm.kind !== "interval") throw new Error("undefined");
    expect(found.interval.upper - found.interval.lower).toBeLessThan(arm.upper - arm.lower);
  });

  it("has a bootstrap over puzzles for one seed and no seed-level interval", () => {
    const found = estimateDifference([sample(1, ones(9, 20))], [sample(1, ones(4, 20))], {
      random: random(),
    });
    expect(found.value).toBeCloseTo(0.25, 12);
    expect(found.interval).toMatchObject({ over: "puzzles", method: "percentile bootstrap" });
    expect(found.seedLevelMissing).not.toBeNull();
  });

  it("is not measured where the arms share no seed", () => {
    const found = estimateDifference([sample(1, [1])], [sample(2, [1])], { random: random() });
    expect(found.value).toBeNull();
  });
});

describe("the ratio", () => {
  it("is the ratio of the means over seeds", () => {
    const a = [sample(1, ones(6, 10)), sample(2, ones(8, 10))];
    const b = [sample(1, ones(1, 10)), sample(2, ones(3, 10))];
    const found = estimateRatio(a, b, { random: random() });
    expect(found.value).toBeCloseTo(3.5, 12);
    expect(found.interval).toMatchObject({ over: "seeds", method: "log ratio t" });
  });

  it("is null over a denominator of 0", () => {
    const found = estimateRatio([sample(1, [1])], [sample(1, [0])], { random: random() });
    expect(found).toMatchObject({ value: null, interval: { kind: "undefined" } });
  });
});

it("the same stream gives the same bootstrap, another stream another one", () => {
  const arms = [[sample(1, ones(9, 30)), sample(2, ones(14, 30))]];
  const run = (seed: number) =>
    bootstrapInterval(
      { arms, paired: false, statistic: ([m]) => m as number },
      { random: Random.of(seed, "bootstrap"), resamples: 500 },
    );
  expect(run(1)).toEqual(run(1));
  expect(run(1)).not.toEqual(run(2));
});
