import { expect, it } from "vitest";
import { enumerateClasses } from "../../test/oracles/expressions.ts";
import { Random } from "../random/random.ts";
import { profileNumbers } from "./solver.ts";

it("there are 793,002 distinct expressions of six generic numbers (OEIS A140606)", () => {
  expect(profileNumbers([90001, 17, 9973, 677, 223, 3571]).expressions).toBe(793_002);
});

it.each([[[1, 2, 3, 4, 5]], [[5, 5, 7, 9, 9]], [[2, 2, 2, 4, 4]], [[0, 1, 1, 6, 10]]])(
  "five numbers agree with brute force: %j",
  (numbers) => {
    const random = Random.of(2, "solver", numbers.join());
    const classes = enumerateClasses(numbers, { random, maxIntermediate: 60 });
    const defined = classes.flatMap(({ value }) => (value === undefined ? [] : [value]));
    const { expressions, hits } = profileNumbers(numbers);
    expect(expressions).toBe(defined.length);
    for (let target = -20; target <= 100; target += 1) {
      const expected = defined.filter(({ p, q }) => p === BigInt(target) * q).length;
      expect(hits.get(target) ?? 0, `target ${target}`).toBe(expected);
    }
    const bounded = classes.filter(({ value, isBounded }) => isBounded && value !== undefined);
    expect(profileNumbers(numbers, { maxIntermediate: 60 }).expressions).toBe(bounded.length);
  },
);
