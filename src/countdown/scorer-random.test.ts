import { expect, it } from "vitest";
import { compareWithOracle } from "../../test/oracles/compare.ts";

it("agrees with the oracle on 30,000 random texts, in less than a millisecond each", () => {
  const { correct, slowest } = compareWithOracle({ texts: 30_000, seed: 1 });
  expect(correct).toBeGreaterThan(500); // right answers are among them
  expect(slowest).toBeLessThan(1);
});
