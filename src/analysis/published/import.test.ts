/**
 * Import on rows written here with every fault built in, and on the published files where they are on this machine
 * (HABITS_REFERENCE, or ../shared/reference beside the checkout); those are not part of this repository.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { importPublished } from "./import.ts";
import { parseCsv } from "./read-csv.ts";

let home: string;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), "import-"));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const HEADER =
  "condition,step,avg_verifications,total_verifications,accuracy,response_length,avg_backtracking,total_backtracking";

async function csv(name: string, rows: readonly string[]) {
  const file = path.join(home, name);
  await writeFile(file, `${[HEADER, ...rows].join("\r\n")}\r\n`);
  return importPublished(file);
}

describe("a results CSV", () => {
  it("gives points with our condition, sample size from the digits, and a Wilson interval", async () => {
    const { points, faults } = await csv("sound.csv", [
      "base_ppo,0,0.1,20,0.0009765625,446.0712890625,0.2,40",
      "base_ppo,10,0.1,20,0.338,34.01,0.2,40",
    ]);
    expect(points[0]).toMatchObject({ condition: "none", step: 0, puzzles: 1024, judged: 200 });
    expect(points[0]?.habits).toMatchObject({ verification: 0.1, backtracking: 0.2 });
    expect(points[1]).toMatchObject({ puzzles: 500, usable: true });
    expect(points[1]?.interval).toMatchObject({ kind: "interval", method: "wilson" });
    expect(faults.map((one) => one.code)).toEqual(["mixed_sample_sizes"]);
  });

  it("counts equal rows once, uses no row of a conflict, and marks points that two runs share", async () => {
    const { points, faults } = await csv("faulty.csv", [
      "dots,0,0,0,0.5,10.25,0,0",
      "dots,0,0,0,0.5,10.25,0,0",
      "dots,10,0,0,0.25,11.5,0,0",
      "empty_cot,0,0,0,0.5,10.25,0,0",
      "empty_cot,10,0,0,0.75,9.5,0,0",
      "empty_cot,10,0,0,0.5,9.5,0,0",
      "other,0,0,0,1.5,9,0,0",
    ]);
    expect(faults.map((one) => one.code)).toEqual([
      "bad_value",
      "conflicting_rows",
      "duplicate_row",
      "shared_point",
    ]);
    expect(points).toHaveLength(4);
    const usable = points.filter((one) => one.usable).map((one) => `${one.name}/${one.step}`);
    expect(usable).toEqual(["dots/10"]);
  });

  it("reports totals that do not fit their means, and steps that are missing", async () => {
    const { faults } = await csv("gaps.csv", [
      "a,0,0.5,100,0.5,10.25,0.5,50",
      "a,10,0.5,100,0.5,10.75,0.5,100",
      "b,0,0,0,0.25,10.5,0,0",
      "b,10,0,0,0.75,10.5,0,0",
      "c,0,0,0,0.25,3.25,0,0",
    ]);
    expect(faults.map((one) => [one.code, one.conditions[0]])).toEqual([
      ["inconsistent_total", "a"],
      ["missing_step", "c"],
    ]);
  });

  it("is refused without its columns", async () => {
    const file = path.join(home, "other.csv");
    await writeFile(file, "x,y\n1,2\n");
    await expect(importPublished(file)).rejects.toThrow(/expected the columns.*x, y/);
    await expect(importPublished(path.join(home, "absent"))).rejects.toThrow(/absent/);
  });

  it("is parsed with quoted cells", () => {
    expect(parseCsv('a,"b,\n""c"""\r\n\r\n1,\n')).toEqual([
      ["a", 'b,\n"c"'],
      ["1", ""],
    ]);
  });
});

describe("a folder of completions", () => {
  it("is read as arrays and as lines, scored where rows carry no score, with habits by step", async () => {
    const run = path.join(home, "runs", "empty_cot");
    await mkdir(run, { recursive: true });
    const row = (completion: string) => ({ numbers: [2, 3], target: 5, completion });
    const first = [row("right"), row("wrong"), row("wrong")];
    await writeFile(path.join(run, "completions_step0.jsonl"), JSON.stringify(first));
    const second = [row("right"), row("wrong one")].map((one) => JSON.stringify(one));
    await writeFile(path.join(run, "completions_step10.jsonl"), second.join("\n"));
    const judged = [
      { verification_count: 2, backtracking_count: null },
      { verification_count: 0, backtracking_count: null, id: 1 },
    ];
    await writeFile(path.join(run, "all_results.json"), JSON.stringify({ step_10: judged }));
    const solves = (text: string): boolean => text === "right";
    const { points, faults } = await importPublished(path.join(home, "runs"), solves);
    expect(points).toHaveLength(2);
    // The row that is there twice counts once: 1 of 2.
    expect(points[0]).toMatchObject({ name: "empty_cot", step: 0, accuracy: 0.5, puzzles: 2 });
    expect(points[1]).toMatchObject({ step: 10, characters: 7, judged: 2 });
    expect(points[1]?.habits).toMatchObject({ verification: 1, backtracking: null });
    expect(faults.map((one) => one.code)).toEqual(["duplicate_row"]);
    const unscored = await importPublished(path.join(home, "runs"));
    expect(unscored.points[0]).toMatchObject({ accuracy: null, usable: false });
    expect(unscored.faults.map((one) => one.code)).toContain("not_scored");
  });

  it("without such files is refused", async () => {
    await mkdir(path.join(home, "empty"), { recursive: true });
    await expect(importPublished(path.join(home, "empty"))).rejects.toThrow(/completions_step/);
  });
});

const reference =
  process.env.HABITS_REFERENCE ?? path.resolve(import.meta.dirname, "../../../../shared/reference");
const present = existsSync(path.join(reference, "qwen_results.csv"));

describe.skipIf(!present)(
  `the published CSVs${present ? "" : " (skipped: set HABITS_REFERENCE to the folder that holds them)"}`,
  () => {
    it("Llama: accuracy at the end, and one run with a single step", async () => {
      const { points, faults } = await importPublished(path.join(reference, "llama_results.csv"));
      const at = (name: string, step: number) =>
        points.find((one) => one.name === name && one.step === step);
      expect(at("base_ppo", 250)?.accuracy).toBeCloseTo(0.338, 3);
      expect(at("all_strategies", 250)).toMatchObject({ puzzles: 1024, judged: 200 });
      // Its length and habits are means of 1,024 completions; .22 is no number of 1,024ths.
      expect(at("base_70b", 0)).toMatchObject({ judged: 1024, puzzles: 50 });
      const of70b = faults.filter((one) => one.conditions.includes("base_70b"));
      expect(of70b.map((one) => one.code)).toEqual(["mixed_sample_sizes", "missing_step"]);
      expect(faults.filter((one) => one.code === "conflicting_rows")).toEqual([]);
    });

    it("Qwen: repeated rows, two pairs with one step 0, and a run measured on 200 and on 1,024", async () => {
      const { points, faults } = await importPublished(path.join(reference, "qwen_results.csv"));
      const of = (code: string) => faults.filter((one) => one.code === code);
      expect(of("duplicate_row").map((one) => one.conditions)).toEqual([["human_cot"]]);
      expect(of("duplicate_row")[0]?.steps).toHaveLength(24);
      expect(of("shared_point").map((one) => [...one.conditions].sort())).toEqual(
        expect.arrayContaining([
          ["all_strategies", "backtracking_backward"],
          ["backtracking_verification", "only_backtracking"],
        ]),
      );
      const mixed = of("mixed_sample_sizes").find((one) => one.conditions[0] === "base_ppo");
      expect(mixed?.text).toMatch(/200 at 1[78] steps.*1024 at/);
      const missing = of("missing_step").flatMap((one) => one.conditions);
      expect(missing).toEqual(expect.arrayContaining(["only_backtracking", "base_ppo"]));
      const start = points.filter((one) => one.step === 0 && !one.usable).map((one) => one.name);
      expect(start).toHaveLength(4);
    });
  },
);
