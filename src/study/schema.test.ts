import path from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { findStudy, listPresets } from "./presets.ts";
import { formatStudy, parseStudy, type SectionSchemas } from "./schema.ts";
import { STUDY_SECTIONS } from "./sections.ts";

const SECTIONS: SectionSchemas = {
  task: z.strictObject({ numbers: z.array(z.int()).default([3]) }),
  priming: z.strictObject({}),
  sft: z.strictObject({ epochs: z.int().min(1).default(5) }),
  rl: z.strictObject({ steps: z.int().min(1).default(50) }),
  completions: z.strictObject({}),
};
const HEAD = "name: s\nseeds: [1]\nbases: { tiny: builtin, other: models/other }\n";
const parse = (text: string) => parseStudy(text, "/studies/s.yaml", SECTIONS);

/** Problems listed by the error, one a line. */
function problemsOf(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    return (error as Error).message.split("\n  - ").slice(1);
  }
  return [];
}

describe("parseStudy", () => {
  it("fills in defaults, resolves paths and names arms", () => {
    const study = parse(
      `${HEAD}arms: [none, { condition: none, base: other }, { condition: empty_cot, id: control }]`,
    );
    expect(study.arms).toEqual([
      { id: "none", condition: "none", base: "tiny" },
      { id: "none@other", condition: "none", base: "other" },
      { id: "control", condition: "empty_cot", base: "tiny" },
    ]);
    expect(study.bases).toEqual({ tiny: "builtin", other: path.resolve("/studies/models/other") });
    expect(study.sections.sft).toEqual({ epochs: 5 });
    expect(study.judges).toEqual(["exact"]);
  });

  it("reports every problem at once, with its path", () => {
    const text = `name: a b\nseeds: [1.5]\nbases: { tiny: builtin }\narms: [nothing]\nrl: { steps: 0, stps: 3 }\nextra: 1\n`;
    const problems = problemsOf(text);
    expect(problems).toHaveLength(6);
    for (const where of [
      "name:",
      "seeds.0:",
      "arms.0:",
      "rl.steps:",
      "rl.stps: unknown key",
      "extra: unknown key",
    ]) {
      expect(problems.some((problem) => problem.startsWith(where))).toBe(true);
    }
  });

  it("rejects an unknown base, a second arm of the same id and a seed given twice", () => {
    const text = `name: s\nseeds: [1, 1]\nbases: { tiny: builtin }\narms: [none, none, { condition: none, base: big }]`;
    expect(problemsOf(text)).toEqual([
      'arms.1: a second arm with the id "none"',
      'arms.2.base: "big" is not a key of bases (tiny)',
      "seeds: a seed is listed twice",
    ]);
  });

  it("names an unknown key inside an arm", () => {
    expect(problemsOf(`${HEAD}arms: [{ condition: none, bsae: other }]`)).toEqual([
      "arms.0.bsae: unknown key",
    ]);
  });

  it("reports text that is not YAML", () => {
    expect(problemsOf("name: [")).not.toEqual([]);
  });

  it("gives the same study from its own resolved file", () => {
    const study = parse(`${HEAD}arms: [none, { condition: none, base: other }]\nrl: { steps: 7 }`);
    expect(parse(formatStudy(study))).toEqual(study);
  });
});

describe("recipes", () => {
  it("are valid with the real stages, and quick has the base, all habits and a control", async () => {
    for (const name of await listPresets()) {
      expect((await findStudy(name, STUDY_SECTIONS)).name).toBe(name);
    }
    const quick = await findStudy("quick", STUDY_SECTIONS);
    const arms = quick.arms.map(({ id }) => id);
    expect(arms).toEqual(["none", "all_strategies", "incorrect_only", "empty_cot"]);
  });

  it("say which studies there are when the name is not one", async () => {
    await expect(findStudy("no-such", STUDY_SECTIONS)).rejects.toMatchObject({
      code: "study.no_file",
      hint: expect.stringContaining("quick, mini"),
    });
  });
});
