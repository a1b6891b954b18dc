/** The exact detectors against the teacher's record: counts, spans and validity, on 10,000 traces of each condition. */
import { describe, expect, it } from "vitest";
import { drawStudyPuzzles } from "../../test/support/study-puzzles.ts";
import { compareWithTeacher } from "../../test/support/teacher-agreement.ts";
import { CONDITIONS } from "../data/rows.ts";
import type { TaughtCondition } from "../priming/teacher.ts";

const TAUGHT = CONDITIONS.filter((condition) => condition !== "none") as TaughtCondition[];

describe("on puzzles of the study", () => {
  const puzzles = drawStudyPuzzles(2600, 22);
  it.each(TAUGHT)("10,000 traces of %s agree exactly", (condition) => {
    const { traces, differing } = compareWithTeacher(puzzles, condition, [1, 2]);
    expect(traces).toBeGreaterThanOrEqual(9_900);
    expect(differing.slice(0, 3)).toEqual([]);
  });
});

describe("on puzzles of four numbers", () => {
  const puzzles = drawStudyPuzzles(600, 23, 4);
  // A result that equals a given number, or a step that is written twice, can be read in two ways; see the docs.
  it.each(TAUGHT)("traces of %s agree but for texts with two readings", (condition) => {
    const { traces, differing } = compareWithTeacher(puzzles, condition, [1]);
    expect(traces).toBeGreaterThan(400);
    expect(differing.length / traces).toBeLessThan(0.05);
  });
});
