/** Distributions and intervals against SciPy (test/golden/stats.py) and jStat. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { Random } from "../../random/random.ts";
import {
  bootstrapInterval,
  type Interval,
  logRatioInterval,
  mean,
  normalQuantile,
  quantileSorted,
  standardError,
  studentCdf,
  studentInterval,
  studentQuantile,
  wilsonInterval,
} from "./index.ts";

/** jStat has no types. */
const jstat = createRequire(import.meta.url)("jstat") as {
  studentt: { inv(probability: number, df: number): number };
};

const golden = JSON.parse(
  readFileSync(new URL("../../../test/golden/stats.json", import.meta.url), "utf8"),
);

/** Relative agreement with SciPy, whose own routines agree with each other to about 1e-12. */
const RELATIVE = 1e-10;

function expectClose(found: number, expected: number, relative = RELATIVE): void {
  expect(Math.abs(found - expected)).toBeLessThanOrEqual(
    relative * Math.max(1, Math.abs(expected)),
  );
}

function defined(interval: Interval) {
  if (interval.kind === "undefined") throw new Error(interval.reason);
  return interval;
}

function oneSeed(values: readonly number[]) {
  return { seed: 1, puzzles: values.map((_, i) => `p${i}`), values };
}

describe("distributions agree with SciPy", () => {
  it("t quantiles", () => {
    for (const { p, df, t } of golden.tQuantiles) expectClose(studentQuantile(p, df), t);
  });
  it("t distribution function", () => {
    for (const { t, df, p } of golden.tCdf) expectClose(studentCdf(t, df), p, 1e-12);
  });
  it("normal quantiles", () => {
    for (const { p, z } of golden.normalQuantiles) expectClose(normalQuantile(p), z);
  });
  it("t quantiles also agree with jStat", () => {
    for (let df = 1; df <= 40; df += 1) {
      expectClose(studentQuantile(0.975, df), jstat.studentt.inv(0.975, df), 1e-6);
    }
  });
});

describe("intervals agree with SciPy", () => {
  it("Wilson, also at no and at full success", () => {
    for (const { k, n, level, lower, upper } of golden.wilson) {
      const interval = defined(wilsonInterval(k, n, { level, over: "puzzles" }));
      expectClose(interval.lower, lower);
      expectClose(interval.upper, upper);
    }
  });
  it("mean, standard error and t interval", () => {
    for (const row of golden.tIntervals) {
      expectClose(mean(row.values), row.mean);
      expectClose(standardError(row.values) ?? Number.NaN, row.sem);
      const interval = defined(studentInterval(row.values, { over: "seeds" }));
      expectClose(interval.lower, row.lower);
      expectClose(interval.upper, row.upper);
    }
  });
  it("log ratio of two means", () => {
    for (const row of golden.logRatio) {
      const interval = defined(logRatioInterval(row.a, row.b));
      expectClose(interval.lower, row.lower);
      expectClose(interval.upper, row.upper);
    }
  });
  it("quantiles of a list agree with NumPy", () => {
    for (const { values, p, q } of golden.quantiles) expectClose(quantileSorted(values, p), q);
  });
  it("the bootstrap over puzzles agrees within Monte Carlo error", () => {
    const { mean: one, ratio } = golden.bootstrap;
    const found = defined(
      bootstrapInterval(
        { arms: [[oneSeed(one.values)]], paired: false, statistic: ([m]) => m as number },
        { random: Random.of(1, "bootstrap"), resamples: 20_000 },
      ),
    );
    // The standard error of a 2.5 % quantile from 20,000 draws is about 1 % of the width; allow 4.
    const slack = 0.04 * (one.upper - one.lower);
    expect(Math.abs(found.lower - one.lower)).toBeLessThan(slack);
    expect(Math.abs(found.upper - one.upper)).toBeLessThan(slack);
    const arms = [[oneSeed(ratio.a)], [oneSeed(ratio.b)]];
    const paired = defined(
      bootstrapInterval(
        { arms, paired: true, statistic: ([a, b]) => (a as number) / (b as number) },
        { random: Random.of(2, "bootstrap"), resamples: 20_000 },
      ),
    );
    const ratioSlack = 0.04 * (ratio.upper - ratio.lower);
    expect(Math.abs(paired.lower - ratio.lower)).toBeLessThan(ratioSlack);
    expect(Math.abs(paired.upper - ratio.upper)).toBeLessThan(ratioSlack);
  });
});
