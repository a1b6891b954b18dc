import { describe, expect, it } from "vitest";
import { enumerateClasses } from "../../test/oracles/expressions.ts";
import { Random } from "../random/random.ts";
import { enumerateExpressions } from "./enumerate.ts";
import { expressionSteps, formatExpression, parseEquation } from "./expression.ts";
import { isSolvable, reachableTargets } from "./reachable.ts";
import { scoreCompletion } from "./scorer.ts";
import { countSolutions, difficulty, profileNumbers, solve } from "./solver.ts";

/** Without divisions by zero: no two subsets of these primes make the same value here. */
const GENERIC = [90001, 17, 9973, 677, 223];

/** Number lists with repeats, small values that divide by zero, zeros, and large values. */
const LISTS: readonly (readonly number[])[] = [
  [7],
  [5, 5],
  [6, 3],
  [0, 4],
  [9, 8, 6],
  [5, 5, 8],
  [4, 4, 4],
  [1, 2, 3],
  [0, 0, 3],
  [2, 4, 6, 8],
  [3, 3, 8, 8],
  [1, 1, 1, 1],
  [5, 5, 7, 9],
  [2, 2, 2, 4],
  [1, 2, 3, 6],
  [100, 97, 89, 13],
  [9_007_199, 4_294_967, 65_537, 3],
];

describe("distinct expressions", () => {
  it("are 1, 6, 68, 1170, 27142 for 1 to 5 generic numbers (OEIS A140606)", () => {
    const counts = [1, 2, 3, 4, 5].map((n) => profileNumbers(GENERIC.slice(0, n)).expressions);
    expect(counts).toEqual([1, 6, 68, 1170, 27_142]);
  });

  it.each(LISTS)("agree with brute force in number and values: %j %j %j %j", (...list) => {
    const numbers = list.filter((number) => number !== undefined);
    const random = Random.of(1, "solver", numbers.join());
    const classes = enumerateClasses(numbers, { random, maxIntermediate: 99 });
    const defined = classes.flatMap(({ value }) => (value === undefined ? [] : [value]));
    const { expressions, hits } = profileNumbers(numbers);
    expect(expressions).toBe(defined.length);
    expect(new Map([...hits].sort())).toEqual(new Map([...wholeHits(defined)].sort()));

    const bounded = classes.flatMap(({ value, isBounded }) => (isBounded && value ? [value] : []));
    const profile = profileNumbers(numbers, { maxIntermediate: 99 });
    expect(profile.expressions).toBe(bounded.length);
    expect(new Map([...profile.hits].sort())).toEqual(new Map([...wholeHits(bounded)].sort()));
  });
});

function wholeHits(values: readonly { readonly p: bigint; readonly q: bigint }[]) {
  const hits = new Map<number, number>();
  for (const { p, q } of values) {
    const value = Number(p / q);
    if (p % q !== 0n || !Number.isSafeInteger(value)) continue;
    hits.set(value, (hits.get(value) ?? 0) + 1);
  }
  return hits;
}

describe("enumerateExpressions", () => {
  it.each([[[2, 4, 6, 8]], [[5, 5, 7, 9]], [[0, 4, 4]], [[1, 2, 3, 6]]])(
    "gives different texts that the scorer values as stated: %j",
    (numbers) => {
      const all = enumerateExpressions(numbers);
      const texts = all.map(({ expression }) => formatExpression(expression));
      expect(new Set(texts).size).toBe(texts.length);
      all.forEach(({ numerator, denominator }, i) => {
        // value = p / q in lowest terms, so the text times q makes p
        const text = `(${texts[i]}) * ${denominator}`;
        const task = { numbers: [...numbers, denominator], target: numerator };
        expect(scoreCompletion(`<answer>${text}</answer>`, task).reason, text).toBe("correct");
      });
    },
  );

  it("keeps every step whole and within the bound", () => {
    const all = enumerateExpressions([13, 12, 7, 2], { maxIntermediate: 50 });
    expect(all.length).toBeGreaterThan(20);
    for (const { expression, numerator } of all) {
      const steps = expressionSteps(expression);
      expect(steps).toHaveLength(3);
      expect(steps.at(-1)?.result).toBe(numerator);
      for (const { result } of steps) {
        expect(Number.isInteger(result) && result >= 1 && result <= 50).toBe(true);
      }
    }
  });

  it("prints with no more parentheses than needed", () => {
    const texts = enumerateExpressions([2, 3, 5]).map((one) => formatExpression(one.expression));
    expect(texts).toContain("2 + 3 - 5");
    expect(texts).toContain("2 * ( 5 - 3 )");
    expect(texts).toContain("2 / 3 / 5");
    for (const text of texts) {
      const parsed = parseEquation(text);
      expect(parsed.kind === "equation" && formatExpression(parsed.expression)).toBe(text);
    }
  });
});

describe("solve", () => {
  it("finds the only way to make 24 of 3, 3, 8, 8", () => {
    expect(solve({ numbers: [3, 3, 8, 8], target: 24 }).map(formatExpression)).toEqual([
      "8 / ( 3 - 8 / 3 )",
    ]);
  });

  it("lists as many solutions as it counts, all right and all different", () => {
    const random = Random.of(4, "solve");
    for (let i = 0; i < 40; i += 1) {
      const numbers = Array.from({ length: 4 }, () => random.integer(0, 12));
      const target = random.integer(-10, 40);
      const texts = solve({ numbers, target }).map(formatExpression);
      expect(texts).toHaveLength(countSolutions({ numbers, target }));
      expect(new Set(texts).size).toBe(texts.length);
      for (const text of texts) {
        const { reason } = scoreCompletion(`<answer>${text}</answer>`, { numbers, target });
        expect(reason, text).toBe("correct");
      }
    }
  });

  it("solves six numbers", () => {
    const task = { numbers: [100, 75, 50, 25, 6, 3], target: 952 };
    const texts = solve(task).map(formatExpression);
    expect(texts).toContain("25 + 6 * 75 * ( 3 + 100 ) / 50");
    for (const text of texts) {
      expect(scoreCompletion(`<answer>${text}</answer>`, task).score).toBe(1);
    }
  });

  it("refuses seven numbers and numbers that are not whole", () => {
    expect(() => solve({ numbers: [1, 2, 3, 4, 5, 6, 7], target: 1 })).toThrow(/1 to 6 whole/);
    expect(() => solve({ numbers: [1.5], target: 1 })).toThrow(/found \[1.5\]/);
  });
});

describe("difficulty", () => {
  it("is the share of distinct expressions that hit", () => {
    // 2, 3: 2+3, 3-2, 2-3, 2*3, 2/3, 3/2
    expect(difficulty({ numbers: [2, 3], target: 6 })).toEqual({
      solutions: 1,
      expressions: 6,
      share: 1 / 6,
    });
    // equal numbers are interchangeable: 4+4, 4-4, 4*4, 4/4
    expect(difficulty({ numbers: [4, 4], target: 8 }).expressions).toBe(4);
    // whole and from 1 to 9: 3+5, 5-3
    expect(difficulty({ numbers: [3, 5], target: 8 }, { maxIntermediate: 9 })).toEqual({
      solutions: 1,
      expressions: 2,
      share: 1 / 2,
    });
  });
});

describe("reachableTargets", () => {
  it("agrees with the full enumeration", () => {
    const random = Random.of(5, "reachable");
    for (let i = 0; i < 60; i += 1) {
      const numbers = Array.from({ length: random.integer(1, 4) }, () => random.integer(0, 15));
      const hits = [...profileNumbers(numbers).hits.keys()].filter((v) => v >= 0 && v <= 60);
      const range = { minTarget: 0, maxTarget: 60 };
      expect(reachableTargets(numbers, range)).toEqual(hits.sort((a, b) => a - b));
    }
  });

  it("stays exact beyond 2^53", () => {
    const big = 9_007_199_254_740_991;
    expect(isSolvable([big, big, 7], 7)).toBe(true); // big / big * 7
    expect(isSolvable([big, big - 2, 3], 5)).toBe(true); // big - (big - 2) + 3
    expect(isSolvable([big, big - 2, 3], 4)).toBe(false);
    expect(reachableTargets([94_906_267, 94_906_266], { minTarget: 0, maxTarget: 1 })).toEqual([1]);
  });
});
