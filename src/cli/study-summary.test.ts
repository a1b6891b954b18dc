import { expect, it } from "vitest";
import type { Comparison } from "../analysis/comparison-schema.ts";
import { summaryLines } from "./study-summary.ts";

const estimate = (value: number | null) => ({
  value,
  bySeed: [],
  interval:
    value === null
      ? { kind: "undefined", reason: "nothing measured" }
      : { kind: "interval", lower: value - 0.02, upper: value + 0.02, level: 0.95, method: "t" },
  seedLevelMissing: null,
});
const habit = (value: number) => ({ mean: estimate(value), share: estimate(value), unjudged: 0 });
const step = (number: number, accuracy: number | null, habits: number) => ({
  step: number,
  seeds: [],
  accuracy: estimate(accuracy),
  habits: {
    verification: habit(habits),
    backtracking: habit(0),
    subgoal_setting: habit(0),
    backward_chaining: habit(0),
  },
});

it("shows an arm a line, from before to after reinforcement learning", () => {
  const arms = [
    {
      id: "none",
      condition: "none",
      base: "tiny",
      finalStep: 20,
      steps: [step(0, 0.05, 0), step(10, 0.5, 9), step(20, 0.125, 0.5)],
    },
    { id: "x", condition: "none", base: "other", finalStep: null, steps: [] },
  ];
  const lines = summaryLines({ mainBase: "tiny", arms } as unknown as Comparison);
  expect(lines).toHaveLength(2); // an arm without a sampled step has nothing to show
  expect(lines[1]).toMatch(/^unprimed +5\.0 % +12\.5 % \(10\.5 to 14\.5\) +0\.00 -> 0\.50 +0\.00/);
});
