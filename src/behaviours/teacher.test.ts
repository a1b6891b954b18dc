import { expect, it } from "vitest";
import { drawStudyPuzzles } from "../../test/support/study-puzzles.ts";
import { compareWithTeacher } from "../../test/support/teacher-agreement.ts";
import { CONDITIONS } from "../data/rows.ts";
import type { TaughtCondition } from "../priming/teacher.ts";

const TAUGHT = CONDITIONS.filter((condition) => condition !== "none") as TaughtCondition[];
const PUZZLES = drawStudyPuzzles(120, 21);

it.each(TAUGHT)("the record of the teacher is found in every trace of %s", (condition) => {
  const { traces, differing } = compareWithTeacher(PUZZLES, condition, [1]);
  expect(traces).toBeGreaterThan(200);
  expect(differing).toEqual([]);
});
