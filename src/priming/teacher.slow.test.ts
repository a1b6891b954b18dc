import { describe, expect, it } from "vitest";
import { drawStudyPuzzles } from "../../test/support/study-puzzles.ts";
import { scoreCompletion } from "../countdown/index.ts";
import { BEHAVIOURS, type Behaviour } from "../data/rows.ts";
import { Random } from "../random/random.ts";
import { FAILURES, teacherOptionsSchema } from "./options.ts";
import { type TaughtCondition, type WrittenTrace, writeTrace } from "./teacher.ts";

const COUNT = 10_000;
/** The laptop task has about 3,000 puzzles: each comes several times, in another order and wording. */
const PUZZLES = drawStudyPuzzles(2000, 1);

const HABITS: Readonly<Record<TaughtCondition, readonly Behaviour[]>> = {
  negative_control: [],
  only_backtracking: ["backtracking"],
  backtracking_verification: ["verification", "backtracking"],
  backtracking_subgoal: ["backtracking", "subgoal_setting"],
  backtracking_backward: ["backtracking", "backward_chaining"],
  all_strategies: [...BEHAVIOURS],
  incorrect_only: [...BEHAVIOURS],
  empty_cot: [],
  length_matched: [],
};

interface Written {
  readonly numbers: readonly number[];
  readonly target: number;
  readonly trace: WrittenTrace;
}

function* tenThousand(condition: TaughtCondition, giveUpShare: number): Generator<Written> {
  const options = teacherOptionsSchema.parse({ giveUpShare, maxTokens: 250 });
  let written = 0;
  for (let round = 0; ; round += 1) {
    for (const puzzle of PUZZLES) {
      const random = Random.of(round, "teacher", puzzle.id);
      const numbers = random.shuffle(puzzle.numbers);
      const trace = writeTrace({ numbers, target: puzzle.target }, condition, random, options);
      if ("rejected" in trace) continue;
      yield { numbers, target: puzzle.target, trace };
      written += 1;
      if (written === COUNT) return;
    }
  }
}

describe.each(Object.keys(HABITS) as TaughtCondition[])(`${COUNT} traces of %s`, (condition) => {
  it("show no habit but those of the condition, and nearly always each of these", () => {
    const shown: Record<string, number> = {};
    for (const { trace } of tenThousand(condition, 0.2)) {
      for (const behaviour of BEHAVIOURS) {
        const { count } = trace.record[behaviour];
        if (count !== null && count > 0) shown[behaviour] = (shown[behaviour] ?? 0) + 1;
      }
    }
    expect(Object.keys(shown).sort()).toEqual([...HABITS[condition]].sort());
    // Backtracking needs a second attempt; one backward search in five hits at the first.
    for (const count of Object.values(shown)) expect(count).toBeGreaterThan(0.75 * COUNT);
  });

  it("score as they say: always 1 for a search that hits, never for incorrect_only", () => {
    for (const { numbers, target, trace } of tenThousand(condition, 0)) {
      const { score, reason } = scoreCompletion(trace.completion, { numbers, target });
      if (condition !== "incorrect_only") expect(score).toBe(1);
      else {
        expect(score).toBe(0.1);
        // Wrong for its value only: the given numbers are there, each once.
        expect(reason).toBe("wrong_value");
        expect(FAILURES).toContain(trace.ending);
      }
    }
  });
});
