import { expect, it } from "vitest";
import { compareWithOracle } from "../../test/oracles/compare.ts";

it("agrees with the oracle on a million random texts, in less than a millisecond each", () => {
  const { correct, slowest } = compareWithOracle({ texts: 1_000_000, seed: 2 });
  expect(correct).toBeGreaterThan(20_000);
  expect(slowest).toBeLessThan(1);
});
