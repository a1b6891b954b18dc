/** Every rule at, inside and beyond its threshold. */
import { describe, expect, it } from "vitest";
import { type Estimate, type Interval, undefinedInterval } from "./stats/index.ts";
import { judgeAbove, judgeNoBetter, judgeRatio, judgeShare, judgeWithin } from "./verdict.ts";

function interval(lower: number, upper: number): Interval {
  return { kind: "interval", lower, upper, level: 0.95, method: "t", over: "seeds" };
}

function estimate(value: number | null, shown: Interval): Estimate {
  return { value, bySeed: [], interval: shown, seedLevelMissing: null };
}

const between = (lower: number, value: number, upper: number): Estimate =>
  estimate(value, interval(lower, upper));
const missing = estimate(null, undefinedInterval("nothing"));
const unknown = estimate(0.7, undefinedInterval("one seed"));

describe("at least T times", () => {
  const base = between(0.08, 0.1, 0.12);
  it("holds when the ratio is reached and the intervals are apart", () => {
    expect(judgeRatio(between(0.25, 0.3, 0.35), base, interval(2.2, 4), 3)).toBe("holds");
  });
  it("is undecided when the intervals touch, or when the ratio is missed but not ruled out", () => {
    expect(judgeRatio(between(0.12, 0.3, 0.5), base, interval(1, 6), 3)).toBe("undecided");
    expect(judgeRatio(between(0.2, 0.29, 0.35), base, interval(2, 4), 3)).toBe("undecided");
  });
  it("fails when the interval of the ratio lies below the threshold", () => {
    expect(judgeRatio(between(0.14, 0.15, 0.16), base, interval(1.2, 2.9), 3)).toBe("fails");
  });
  it("holds against a base that solves nothing, and not for an arm that solves nothing", () => {
    const zero = between(0, 0, 0.01);
    const ratio = undefinedInterval("the denominator is 0");
    expect(judgeRatio(between(0.5, 0.6, 0.7), zero, ratio, 3)).toBe("holds");
    expect(judgeRatio(zero, zero, ratio, 3)).toBe("undecided");
  });
  it("is not measured without one of the arms", () => {
    expect(judgeRatio(missing, base, interval(1, 2), 3)).toBe("not measured");
    expect(judgeRatio(base, missing, interval(1, 2), 3)).toBe("not measured");
  });
});

describe("a share of at least T", () => {
  it.each([
    [between(0.6, 0.65, 0.7), "holds"],
    [between(0.55, 0.65, 0.75), "undecided"],
    [between(0.5, 0.58, 0.61), "undecided"],
    [between(0.5, 0.55, 0.599), "fails"],
    [unknown, "undecided"],
    [missing, "not measured"],
  ])("%#", (found, verdict) => expect(judgeShare(found, 0.6)).toBe(verdict));
});

describe("within a margin, in both directions", () => {
  it.each([
    [between(-0.05, 0, 0.05), "holds"],
    [between(-0.06, 0, 0.02), "undecided"],
    [between(-0.02, 0.03, 0.06), "undecided"],
    [between(0.051, 0.08, 0.1), "fails"],
    [between(-0.2, -0.1, -0.051), "fails"],
    [missing, "not measured"],
  ])("%#", (found, verdict) => expect(judgeWithin(found, 0.05)).toBe(verdict));
});

describe("no better, up to a margin", () => {
  it.each([
    [between(-0.04, -0.01, 0.02), "holds"],
    [between(-0.2, -0.1, -0.05), "holds"],
    [between(-0.04, 0.01, 0.06), "undecided"],
    [between(0.001, 0.01, 0.02), "fails"],
    [missing, "not measured"],
  ])("%#", (found, verdict) => expect(judgeNoBetter(found, 0.05)).toBe(verdict));
});

describe("clearly above", () => {
  it.each([
    [between(0.01, 0.1, 0.2), "holds"],
    [between(-0.01, 0.1, 0.2), "undecided"],
    [between(-0.2, -0.1, -0.01), "fails"],
    [missing, "not measured"],
  ])("%#", (found, verdict) => expect(judgeAbove(found)).toBe(verdict));
});
