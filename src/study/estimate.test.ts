import { describe, expect, it } from "vitest";
import { criticalPaths, estimateSeconds, simulateSchedule } from "./estimate.ts";
import type { Stage, StageKind } from "./plan.ts";
import type { Study } from "./schema.ts";
import type { StageTable } from "./stage-table.ts";

function stage(id: string, kind: StageKind, after: readonly string[], more = {}): Stage {
  const inputs = Object.fromEntries(
    after.map((name) => [name, { from: "stage", stage: name, path: "" } as const]),
  );
  return { id, kind, inputs, config: {}, ...more };
}

//      a (2) -> b (3) -> d (1)
//      a (2) -> c (5) -> d (1)
const DIAMOND = [
  stage("a", "puzzles", []),
  stage("b", "rl", ["a"], { condition: "none" }),
  stage("c", "rl", ["a"], { condition: "empty_cot" }),
  stage("d", "report", ["b", "c"]),
];
const SECONDS = new Map([
  ["a", 2],
  ["b", 3],
  ["c", 5],
  ["d", 1],
]);

describe("simulateSchedule", () => {
  it("takes the sum of all stages with one worker", () => {
    expect(simulateSchedule(DIAMOND, SECONDS, 1)).toBe(11);
  });
  it("takes the longest chain with enough workers", () => {
    expect(simulateSchedule(DIAMOND, SECONDS, 2)).toBe(8);
  });
  it("counts only what is left", () => {
    const left = new Map([...SECONDS, ["a", 0], ["c", 0]] as [string, number][]);
    expect(simulateSchedule(DIAMOND, left, 2)).toBe(4);
  });
});

describe("criticalPaths", () => {
  it("adds each stage to the longest chain behind it", () => {
    // d 1; c 5 + 1; b 3 + 1; a 2 + 6
    expect(Object.fromEntries(criticalPaths(DIAMOND, SECONDS))).toEqual({ a: 8, b: 4, c: 6, d: 1 });
  });
});

describe("estimateSeconds", () => {
  const kind = { cost: () => ({ units: 10, bytes: 0 }), secondsPerUnit: 0.5 };
  const table = { puzzles: kind, rl: kind, report: kind } as unknown as StageTable;
  const context = { study: {} as Study, modelBytes: 0 };

  it("uses the table before anything was measured", () => {
    expect(estimateSeconds(DIAMOND, table, context, {}).get("b")).toBe(5);
  });
  it("uses the stages of the same condition, then of the same kind, once there are some", () => {
    const other = stage("e", "rl", ["a"], { condition: "none" });
    const seconds = estimateSeconds([...DIAMOND, other], table, context, { b: 30 });
    expect(seconds.get("e")).toBe(30);
    expect(seconds.get("c")).toBe(30);
    expect(seconds.get("d")).toBe(5);
    const both = estimateSeconds([...DIAMOND, other], table, context, { b: 30, c: 50 });
    expect(both.get("e")).toBe(30);
  });
});
