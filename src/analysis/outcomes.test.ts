/** Outcomes, best of n and emergence on rows made by hand, whose answers follow on paper. */
import { describe, expect, it } from "vitest";
import { Random } from "../random/random.ts";
import { compareAtEqualTokens, passCurves } from "./best-of-n.ts";
import type { ArmSummary } from "./comparison-schema.ts";
import { findEmergence } from "./emergence.ts";
import type { MeasuredArm, OutcomeRow, StepMeasures } from "./measure.ts";
import { judgeOutcomes } from "./outcomes.ts";

function row(puzzle: string, correct: boolean, backtracks: number | null, tokens = 50): OutcomeRow {
  const habits = { verification: 0, subgoal_setting: 0, backward_chaining: 0 };
  return { seed: 1, puzzle, correct, tokens, habits: { ...habits, backtracking: backtracks } };
}

function arm(condition: string, rows: readonly OutcomeRow[]): MeasuredArm {
  const seeds = [...new Set(rows.map((one) => one.seed))];
  const final = seeds.map((seed) => ({
    seed,
    rows: rows.filter((one) => one.seed === seed),
  })) as unknown as StepMeasures[];
  const summary = { id: condition, condition, base: "b" } as ArmSummary;
  return { summary, validity: [], finalAccuracy: [], first: [], final };
}

describe("habit and outcome", () => {
  // 40 puzzles, each solved with the habit and not without it three times in four; two unjudged rows.
  const rows = Array.from({ length: 40 }, (_, i) => [
    row(`p${i}`, i % 4 !== 0, 1),
    row(`p${i}`, i % 4 === 0, 0),
  ]).flat();
  const mixed = arm("all_strategies", [...rows, row("p0", true, null), row("p1", false, null)]);
  const always = arm(
    "only_backtracking",
    Array.from({ length: 40 }, (_, i) => row(`p${i}`, true, 2)),
  );

  it("compares inside the arms that write both, and leaves out what was not judged", () => {
    const outcomes = judgeOutcomes([mixed, always], "b");
    expect(outcomes).toHaveLength(1);
    expect(outcomes[0]).toMatchObject({
      moment: "final",
      habit: "backtracking",
      arms: ["all_strategies"],
      with: { completions: 40, solved: 30 },
      without: { completions: 40, solved: 10 },
      unjudged: 2,
    });
    const cells = outcomes[0]?.table ?? [];
    expect(cells).toHaveLength(9);
    expect(cells.reduce((sum, one) => sum + one.with.completions, 0)).toBe(40);
  });

  it("has the odds ratio of the table, 30 * 30 / (10 * 10) = 9, where nothing else differs", () => {
    const [found] = judgeOutcomes([mixed, always], "b");
    expect(found?.regressions[0]).toMatchObject({ adjusts: "arm", rows: 80, clusters: 40 });
    expect(found?.regressions[0]?.oddsRatio).toBeCloseTo(9, 8);
    expect(found?.mantelHaenszel.oddsRatio).toBeCloseTo(9, 8);
    expect(found?.mantelHaenszel.difference).toBeCloseTo(0.5, 12);
  });

  it("takes difficulty from the other runs: the link with an easy puzzle is gone at equal difficulty", () => {
    // Easy puzzles are solved and backtracked on; hard ones neither. Inside a difficulty the habit says nothing.
    const cases = Array.from({ length: 200 }, (_, i) => {
      const easy = i % 2 === 0;
      const habit = i % 10 < (easy ? 8 : 2) ? 1 : 0;
      return row(`p${i}`, (Math.floor(i / 10) % 5 !== 0) === easy, habit);
    });
    const other = arm(
      "incorrect_only",
      cases.map((one) => row(one.puzzle, Number(one.puzzle.slice(1)) % 2 === 0, 3)),
    );
    const [found] = judgeOutcomes([arm("all_strategies", cases), other], "b");
    const byModel = found?.regressions.map((one) => one.oddsRatio ?? 0) ?? [];
    expect(byModel[0]).toBeGreaterThan(3);
    expect(byModel[1]).toBeLessThan(2.2);
    expect(byModel[1]).toBeLessThan((byModel[0] as number) / 2);
  });
});

describe("best of n", () => {
  // Short: four samples of 10 tokens, one of them right on every puzzle. Long: one sample of 25 tokens, right on half.
  const short = arm(
    "empty_cot",
    Array.from({ length: 24 }, (_, i) => row(`p${i % 6}`, i < 6, 0, 10)),
  );
  const long = arm(
    "all_strategies",
    Array.from({ length: 6 }, (_, i) => row(`p${i}`, i < 3, 1, 25)),
  );
  const random = Random.of(1, "bootstrap");

  it("is pass@k: with one right of four, k / 4", () => {
    const [curve] = passCurves([short]);
    expect(curve).toMatchObject({ samples: 4, puzzles: 6 });
    expect(curve?.points.map(({ k, tokens }) => [k, tokens])).toEqual([
      [1, 10],
      [2, 20],
      [3, 30],
      [4, 40],
    ]);
    curve?.points.forEach(({ k, estimate }) => {
      expect(estimate.value).toBeCloseTo(k / 4, 12);
    });
  });

  it("gives the parallel side as many samples as the tokens pay for, mixing whole numbers", () => {
    const [found, ...others] = compareAtEqualTokens([long, short], random);
    expect(others).toEqual([]);
    // 25 tokens pay for 2.5 samples: (2/4 + 3/4) / 2 = 0.625 against 0.5.
    expect(found).toMatchObject({ long: "all_strategies", parallel: "empty_cot", k: 2.5 });
    expect(found?.parallelPass).toBeCloseTo(0.625, 12);
    expect(found?.difference.value).toBeCloseTo(-0.125, 12);
  });

  it("says so when there are too few samples, and nothing with one sample everywhere", () => {
    const longer = arm("all_strategies", [row("p0", true, 1, 95)]);
    const [found] = compareAtEqualTokens([longer, short], random);
    expect(found?.difference.value).toBeNull();
    expect(found?.difference.seedLevelMissing).toContain("9.5 samples");
    expect(compareAtEqualTokens([long, longer], random)).toEqual([]);
  });
});

describe("emergence", () => {
  const none = { interval: { kind: "undefined", reason: "-" }, value: null };
  const steps = (values: readonly number[]) =>
    values.map((value, i) => ({
      step: 10 * i,
      accuracy: {
        value,
        interval: i === 0 ? { kind: "interval", lower: 0.1, upper: 0.3 } : none.interval,
      },
      habits: Object.fromEntries(
        ["verification", "backtracking", "subgoal_setting", "backward_chaining"].map((name) => [
          name,
          { share: none },
        ]),
      ),
    }));
  it.each([
    [[0.2, 0.25, 0.4, 0.5], 20, 20, "up"],
    [[0.2, 0.4, 0.2, 0.5], 10, 30, "up"],
    [[0.2, 0.05, 0.02], 10, 10, "down"],
    [[0.2, 0.4, 0.2], 10, null, "up"],
    [[0.2, 0.3, 0.1], null, null, null],
    [[0.2, 0.4, 0.05], 10, 20, "down"],
  ])("%j leaves at %s, for good at %s, %s", (values, first, lasting, direction) => {
    const summary = { id: "a", steps: steps(values) } as unknown as ArmSummary;
    const found = findEmergence([summary]);
    expect(found).toHaveLength(1); // habits were not judged
    expect(found[0]).toMatchObject({ quantity: "accuracy", first, lasting, direction });
  });
});
