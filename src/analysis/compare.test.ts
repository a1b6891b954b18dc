/** The comparison stage on small synthetic runs, and its joins and averages on rows written by hand. */
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ALL_ARMS, writeSyntheticRun } from "../../test/support/synthetic-run.ts";
import type { BehaviourRow, Completion } from "../data/rows.ts";
import { compareRun } from "./compare.ts";
import { type Comparison, comparisonSchema } from "./comparison-schema.ts";
import { measureRows } from "./measure.ts";

const QUICK_ARMS = ALL_ARMS.filter(
  (arm) => arm.base === "tiny-plain" && ["none", "all_strategies", "empty_cot"].includes(arm.id),
);

let home: string;
let full: Comparison;
let quick: Comparison;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "compare-"));
  const folder = path.join(home, "full");
  await writeSyntheticRun({ folder, steps: [0, 20], puzzles: 80, traces: 40 });
  full = await compareRun({ run: folder });
  const small = path.join(home, "quick");
  await writeSyntheticRun({
    folder: small,
    arms: QUICK_ARMS,
    seeds: [1],
    steps: [0, 10],
    puzzles: 80,
    traces: 10,
  });
  quick = await compareRun({ run: small });
}, 240_000);

afterAll(() => rm(home, { recursive: true, force: true }));

function claim(comparison: Comparison, id: string) {
  const found = comparison.claims.find((one) => one.id === id);
  if (found === undefined) throw new Error(`no claim ${id}`);
  return found;
}

describe("a study with every condition and three seeds", () => {
  it("judges every claim over seeds", () => {
    expect(full.claims).toHaveLength(18);
    expect(full.claims.filter((one) => one.verdict === "not measured")).toEqual([]);
    expect(new Set(full.claims.map((one) => one.over))).toEqual(new Set(["seeds"]));
  });

  it("finds what was built in: habits beat the base, filler is no better than empty thoughts", () => {
    expect(claim(full, "all_strategies/none").verdict).toBe("holds");
    expect(claim(full, "all_strategies/empty_cot").verdict).toBe("holds");
    expect(claim(full, "bases/none").verdict).toBe("holds");
    expect(claim(full, "length_matched/empty_cot").estimate.value).toBeLessThan(0.03);
  });

  it("proves the match of the length-matched control and shows the mismatch of the empty one", () => {
    const of = (arm: string) => full.priming.find((one) => one.arm === arm)?.match;
    expect(of("length_matched")).toMatchObject({ shared: 120, unshared: 0, equalTokens: 120 });
    expect(of("empty_cot")?.equalTokens).toBe(0);
    expect(of("all_strategies")).toBeNull();
    expect(full.priming.find((one) => one.arm === "incorrect_only")?.correct).toBe(0);
  });

  it("sets every primed arm against the unprimed one of its base, adjusted by family", () => {
    const { differences } = full;
    expect(differences).toHaveLength(9 * 6); // nine primed conditions, accuracy, tokens and four habits
    expect(new Set(differences.map((one) => one.reference))).toEqual(new Set(["none"]));
    const one = differences.find(
      (row) => row.arm === "all_strategies" && row.quantity === "accuracy",
    );
    const at = (id: string) =>
      full.arms.find((arm) => arm.id === id)?.steps[1]?.accuracy.value ?? 0;
    expect(one?.estimate.value).toBeCloseTo(at("all_strategies") - at("none"), 12);
    expect(one).toMatchObject({ family: "accuracy", familySize: 9, over: "seeds", puzzles: 80 });
    expect(one?.pValue).toBeLessThan(0.05);
    for (const row of differences) {
      if (row.pValue !== null) expect(row.adjusted).toBeGreaterThanOrEqual(row.pValue);
    }
  });

  it("finds when accuracy leaves where it started, and how many checks and backtracks are real", () => {
    const of = (arm: string) =>
      full.emergence.find((one) => one.arm === arm && one.quantity === "accuracy");
    expect(of("all_strategies")).toMatchObject({ first: 20, lasting: 20, direction: "up" });
    const validity = full.validity.find((one) => one.arm === "all_strategies")?.steps[1];
    expect(validity?.checks).toBeGreaterThan(100);
    expect(validity?.checksTrue.value).toBeGreaterThan(0.9);
    expect(full.equalTokens).toEqual([]); // one sample a puzzle
  });

  it("writes the same bytes again and a file that fits its schema", async () => {
    const file = path.join(home, "full", "analysis", "comparison.json");
    const before = await readFile(file, "utf8");
    await compareRun({ run: path.join(home, "full") });
    expect(await readFile(file, "utf8")).toBe(before);
    expect(comparisonSchema.parse(JSON.parse(before))).toEqual(full);
  });

  it("stops when aborted", async () => {
    const signal = AbortSignal.abort(new Error("stop now"));
    await expect(compareRun({ run: path.join(home, "full"), signal })).rejects.toThrow("stop now");
  });
});

describe("a study with one seed and three arms", () => {
  it("labels every interval as one over puzzles and says why", () => {
    const accuracy = quick.arms[0]?.steps.at(-1)?.accuracy;
    expect(accuracy?.interval).toMatchObject({
      kind: "interval",
      over: "puzzles",
      method: "wilson",
    });
    expect(accuracy?.seedLevelMissing).toContain("at least two");
    const ratio = claim(quick, "all_strategies/none");
    expect(ratio.over).toBe("puzzles");
    expect(ratio.reading).toMatch(/^One seed only: /);
    expect(ratio.estimate.interval).toMatchObject({ over: "puzzles" });
  });

  it("says not measured for the claims whose arms are missing", () => {
    expect(claim(quick, "incorrect_only/all_strategies")).toMatchObject({
      verdict: "not measured",
      over: null,
    });
    expect(claim(quick, "bases/none").reading).toContain("no measurement");
  });
});

it("reads only the arms and seeds of study.yaml, the first base first among equals", async () => {
  const folder = path.join(home, "stale");
  const arms = [
    { id: "none", condition: "none", base: "tiny-plain" },
    { id: "none@tiny-habits", condition: "none", base: "tiny-habits" },
  ];
  await writeSyntheticRun({ folder, arms, seeds: [1, 2], steps: [0], puzzles: 5, traces: 2 });
  await mkdir(path.join(folder, "empty_cot", "seed-1", "completions"), { recursive: true });
  await mkdir(path.join(folder, "none", "seed-7", "completions"), { recursive: true });
  const comparison = await compareRun({ run: folder });
  expect(comparison.arms.map((arm) => arm.id)).toEqual(["none", "none@tiny-habits"]);
  expect(comparison.arms[0]?.seeds).toEqual([1, 2]);
  expect(comparison.mainBase).toBe("tiny-plain");
});

it("a folder that is not a run is named in the error", async () => {
  await expect(compareRun({ run: path.join(home, "absent") })).rejects.toThrow(/absent/);
  await expect(compareRun({ run: path.join(home, "full", "none") })).rejects.toThrow(/no.*seed/);
});

it("reads a comparison of an earlier version as one without the later analyses", () => {
  const { differences, emergence, outcomes, validity, passCurves, equalTokens, ...earlier } = quick;
  for (const later of [differences, emergence, validity, passCurves]) expect(later).not.toEqual([]);
  for (const later of [outcomes, equalTokens]) expect(Array.isArray(later)).toBe(true);
  expect(comparisonSchema.parse(earlier)).toMatchObject({ differences: [], outcomes: [] });
});

describe("measuring rows", () => {
  const completion = (puzzle: string, sample: number, over: Partial<Completion>): Completion => ({
    puzzle_id: puzzle,
    index: 0,
    step: 0,
    seed: 1,
    sample,
    prompt: "",
    generated: "",
    score: 0,
    correct: false,
    answer: null,
    stop_reason: "stop",
    tokens: 10,
    ground_truth: { target: 1, numbers: [1] },
    ...over,
  });
  const cell = (count: number | null) => ({ count, spans: [] });
  const behaviour = (puzzle: string, sample: number, count: number | null): BehaviourRow => ({
    puzzle_id: puzzle,
    step: 0,
    sample,
    judge: "exact",
    verification: cell(count),
    backtracking: cell(0),
    subgoal_setting: cell(0),
    backward_chaining: cell(0),
  });
  const rows = [
    completion("a", 0, { correct: true, answer: "1", tokens: 4 }),
    completion("a", 1, { stop_reason: "length", tokens: 8 }),
    completion("b", 0, { answer: "2", tokens: 20 }),
  ];

  it("counts each puzzle once, however many samples it has", () => {
    const measures = measureRows(1, rows, undefined);
    expect(measures.accuracy).toEqual({ seed: 1, puzzles: ["a", "b"], values: [0.5, 0] });
    expect(measures.tokens.values).toEqual([6, 20]);
    expect(measures.truncated.values).toEqual([0.5, 0]);
    expect(measures.format.values).toEqual([0.5, 1]);
  });

  it("keeps failed and missing judgements out of the means and counts them", () => {
    const judged = measureRows(1, rows, [behaviour("a", 0, 3), behaviour("b", 0, null)]);
    expect(judged.habits.verification.mean).toEqual({ seed: 1, puzzles: ["a"], values: [3] });
    expect(judged.habits.verification.share.values).toEqual([1]);
    expect(judged.habits.verification.unjudged).toBe(2);
  });

  it("measures no habit where nothing was judged", () => {
    const measures = measureRows(1, rows, undefined);
    expect(measures.habits.verification).toMatchObject({ mean: { values: [] }, unjudged: 0 });
  });
});
