import { describe, expect, it } from "vitest";
import { enumerateExpressions } from "../countdown/index.ts";
import { Random } from "../random/random.ts";
import { attempts, needs, sharedSteps } from "./search.ts";
import { equation } from "./steps.ts";

const RANGE = { smallest: 1, largest: 99 };

function lines(numbers: readonly number[]): string[] {
  return [...attempts(numbers, RANGE)].map(({ steps }) => steps.map(equation).join(", "));
}

describe("attempts", () => {
  it("goes through pairs and operators in the fixed order without repeats", () => {
    // 17 * 6 = 102 and 72 * 6 are out of range; 9 + 6 leads to sums tried before, and to a product above 99.
    expect(lines([9, 8, 6])).toEqual([
      "9 + 8 = 17, 17 + 6 = 23",
      "9 + 8 = 17, 17 - 6 = 11",
      "9 - 8 = 1, 1 + 6 = 7",
      "9 - 8 = 1, 6 - 1 = 5",
      "9 - 8 = 1, 1 * 6 = 6",
      "9 * 8 = 72, 72 + 6 = 78",
      "9 * 8 = 72, 72 - 6 = 66",
      "9 * 8 = 72, 72 / 6 = 12",
      "9 - 6 = 3, 3 * 8 = 24",
      "9 * 6 = 54, 54 + 8 = 62",
      "9 * 6 = 54, 54 - 8 = 46",
      "8 - 6 = 2, 2 * 9 = 18",
      "8 * 6 = 48, 48 + 9 = 57",
      "8 * 6 = 48, 48 - 9 = 39",
    ]);
  });

  it("reaches exactly the values that the solver reaches", () => {
    const random = Random.of(1, "test");
    for (let round = 0; round < 60; round += 1) {
      const size = round % 4 === 3 ? 4 : 3;
      const numbers = Array.from({ length: size }, () => random.integer(1, 13));
      const found = new Set([...attempts(numbers, RANGE)].map(({ result }) => result.value));
      const expected = enumerateExpressions(numbers, { maxIntermediate: 99 }).map(
        ({ numerator, denominator }) => Number(numerator) / Number(denominator),
      );
      expect([...found].sort()).toEqual([...new Set(expected)].sort());
      // The solver counts expressions up to commutativity and associativity: more attempts would be repeats.
      expect([...attempts(numbers, RANGE)].length).toBeLessThanOrEqual(expected.length);
    }
  });

  it("shares the leading steps of neighbours", () => {
    const [first, second, third] = [...attempts([9, 8, 6], RANGE)];
    expect(sharedSteps(undefined, first!)).toBe(0);
    expect(sharedSteps(first, second!)).toBe(1);
    expect(sharedSteps(second, third!)).toBe(0);
  });
});

describe("needs", () => {
  it("finds every value from which one step with the held number gives the target, and no other", () => {
    for (let held = 1; held <= 13; held += 1) {
      for (let target = 1; target <= 99; target += 1) {
        const expected = Array.from({ length: 99 }, (_, at) => at + 1).filter((value) =>
          [
            value + held,
            value - held,
            held - value,
            value * held,
            value / held,
            held / value,
          ].includes(target),
        );
        const found = needs(target, held, RANGE);
        expect(found.map(({ value }) => value).sort((a, b) => a - b)).toEqual(expected);
        for (const { inverse } of found) expect([inverse.left, inverse.right]).toContain(target);
      }
    }
  });
});
