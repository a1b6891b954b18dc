import { describe, expect, it } from "vitest";
import { drawStudyPuzzles } from "../../test/support/study-puzzles.ts";
import { parseEquation } from "../countdown/index.ts";
import { BEHAVIOURS, type Behaviour, CONDITIONS, type Span } from "../data/rows.ts";
import { Random } from "../random/random.ts";
import { teacherOptionsSchema } from "./options.ts";
import * as phrases from "./phrases.ts";
import { type TaughtCondition, type WrittenTrace, writeTrace } from "./teacher.ts";
import { encodePieces, UNKNOWN_ID } from "./vocabulary.ts";

const TAUGHT = CONDITIONS.filter((condition) => condition !== "none") as TaughtCondition[];
const OPTIONS = teacherOptionsSchema.parse({});
const PUZZLES = drawStudyPuzzles(400, 7);

interface Sample {
  readonly numbers: readonly number[];
  readonly target: number;
  readonly trace: WrittenTrace;
}

function samples(condition: TaughtCondition, extra: Partial<typeof OPTIONS> = {}): Sample[] {
  return PUZZLES.flatMap((puzzle) => {
    const options = { ...OPTIONS, ...extra };
    const trace = writeTrace(puzzle, condition, Random.of(3, puzzle.id), options);
    return "rejected" in trace ? [] : [{ numbers: puzzle.numbers, target: puzzle.target, trace }];
  });
}

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

const EQUATION = /^(\d+) ([-+*/]) (\d+) = (\d+)$/u;
const EQUATIONS = /\d+ [-+*/] \d+ = \d+/gu;

/** What the text of a span may be, written out by hand and not taken from the phrase tables. */
const CLAIMS: Readonly<Record<Behaviour, RegExp>> = {
  verification: /^(no|yes|not \d+|that is \d+)$/iu,
  backtracking:
    /^(\d+ [-+*/] \d+ = \d+|try again|back|back to (\d+|the numbers)|go back|start over|leave \d+|drop \d+)$/iu,
  subgoal_setting: /\b(aim|goal|get)\b.*\d/iu,
  backward_chaining: EQUATION,
};

/** True when the only value on the way is the target itself, as in `9 + 8 = 17, 17 * 1 = 17`: no aim but the target. */
function reachesTargetFirst({ completion, record }: WrittenTrace): boolean {
  const results = (completion.match(EQUATIONS) ?? []).map((equation) => equation.split("= ")[1]);
  return record.backward_chaining.count === 0 && results[0] === results.at(-1);
}

function textOf(sample: Sample, span: Span): string {
  return sample.trace.completion.slice(span.start, span.end);
}

function isTrue(equation: string): boolean {
  const parsed = parseEquation(equation);
  if (parsed.kind !== "equation" || parsed.expression.kind !== "binary") return false;
  const [a, b] = parsed.numbers as [number, number];
  const results = { "+": a + b, "-": a - b, "*": a * b, "/": a / b };
  return results[parsed.expression.operator] === parsed.claim;
}

function numbersIn(text: string): number[] {
  return [...text.matchAll(/\d+/gu)].map(([digits]) => Number(digits)).sort((a, b) => a - b);
}

describe.each(TAUGHT)("a trace of %s", (condition) => {
  const all = samples(condition);

  it("is written for nearly every puzzle", () => {
    expect(all.length).toBeGreaterThan(300);
  });

  it("shows the habits of its condition and no other", () => {
    const expected = HABITS[condition];
    for (const { trace } of all) {
      for (const behaviour of BEHAVIOURS) {
        const { count, spans } = trace.record[behaviour];
        expect(count).toBe(spans.length);
        // A search whose first attempt hits has nothing to go back from.
        const due = behaviour === "backtracking" ? trace.attempts > 1 : !reachesTargetFirst(trace);
        if (!expected.includes(behaviour)) expect(count).toBe(0);
        else if (due) expect(count).toBeGreaterThan(0);
      }
    }
  });

  it("has spans whose text is an instance of the habit", () => {
    for (const sample of all) {
      for (const behaviour of BEHAVIOURS) {
        for (const span of sample.trace.record[behaviour].spans) {
          expect(textOf(sample, span)).toMatch(CLAIMS[behaviour]);
          if (behaviour !== "backward_chaining") continue;
          const [, left, , right] = EQUATION.exec(textOf(sample, span)) ?? [];
          expect([Number(left), Number(right)]).toContain(sample.target);
        }
      }
    }
  });

  it("states only true equations, with values in the range", () => {
    for (const { trace } of all) {
      for (const [equation] of trace.completion.matchAll(EQUATIONS)) {
        expect(isTrue(equation), equation).toBe(true);
        expect(Number(equation.split("= ")[1])).toBeLessThanOrEqual(99);
      }
    }
  });

  it("answers with each given number once, rightly unless the condition is incorrect_only", () => {
    for (const { numbers, trace } of all) {
      expect(numbersIn(trace.answer)).toEqual([...numbers].sort((a, b) => a - b));
      expect(trace.correct).toBe(condition !== "incorrect_only");
      expect(trace.completion.endsWith(`</think>\n<answer> ${trace.answer} </answer>`)).toBe(true);
    }
  });

  it("is made of pieces of the vocabulary, as many as it says and no more than allowed", () => {
    for (const { trace } of all) {
      const ids = encodePieces(trace.completion);
      expect(ids).not.toContain(UNKNOWN_ID);
      expect(trace.tokens).toBe(ids.length);
      expect(ids.length).toBeLessThanOrEqual(OPTIONS.maxTokens);
    }
  });

  it("comes out the same for the same seed", () => {
    expect(samples(condition).map(({ trace }) => trace.completion)).toEqual(
      all.map(({ trace }) => trace.completion),
    );
  });
});

describe("a forward search", () => {
  it("goes back once for each attempt but the first and checks each attempt", () => {
    for (const { trace, target } of samples("backtracking_verification")) {
      expect(trace.record.backtracking.count).toBe(trace.attempts - 1);
      expect(trace.record.verification.count).toBe(trace.attempts);
      // Each verdict is true of the result of the equation before it.
      for (const { start, end } of trace.record.verification.spans) {
        const verdict = trace.completion.slice(start, end);
        const before = [...trace.completion.slice(0, start).matchAll(EQUATIONS)].at(-1)?.[0] ?? "";
        expect(/^(yes|that)/iu.test(verdict)).toBe(Number(before.split("= ")[1]) === target);
      }
    }
  });

  it("stops at the first hit, and says nothing about the target before it", () => {
    for (const { trace, target } of samples("only_backtracking")) {
      const thought = trace.completion.split("</think>")[0] ?? "";
      expect(thought).toMatch(new RegExp(`= ${target}$`, "u"));
      expect(thought).not.toMatch(/\b(no|not|yes|that)\b/iu);
    }
  });
});

describe("giving up", () => {
  it("ends the stated share of searches early, with a wrong answer and no hit in the text", () => {
    const all = samples("backtracking_verification", {
      giveUpShare: 1,
      giveUpAfter: { min: 1, max: 2 },
    });
    const early = all.filter(({ trace }) => trace.ending === "give_up");
    expect(early.length).toBeGreaterThan(all.length / 2);
    for (const { trace, target } of early) {
      expect(trace.correct).toBe(false);
      const checked = trace.record.verification.spans.map(({ start }) => {
        const before = [...trace.completion.slice(0, start).matchAll(EQUATIONS)].at(-1)?.[0] ?? "";
        return Math.abs(Number(before.split("= ")[1]) - target);
      });
      // The answer is the nearest of the results that were checked.
      const parsed = parseEquation(trace.answer);
      if (parsed.kind !== "equation") throw new Error(trace.answer);
      const settled = /(?:Settle for|Stop with|Keep) (\d+)\./u.exec(trace.completion)?.[1];
      expect(Math.abs(Number(settled) - target)).toBe(Math.min(...checked));
    }
  });

  it("shortens a long search when asked to, in place of no trace", () => {
    const cut = samples("backtracking_verification", { maxTokens: 80, tooLong: "give_up" });
    const kept = samples("backtracking_verification", { maxTokens: 80 });
    expect(cut.length).toBeGreaterThan(kept.length);
    for (const { trace } of cut) expect(trace.tokens).toBeLessThanOrEqual(80);
  });
});

describe("incorrect_only", () => {
  it("fails in each of the ways that have a weight, and in no other", () => {
    for (const failure of ["give_up", "misread", "slip"] as const) {
      const failures = { give_up: 0, misread: 0, slip: 0, [failure]: 1 };
      const endings = new Set(
        samples("incorrect_only", { failures }).map(({ trace }) => trace.ending),
      );
      expect([...endings]).toEqual([failure]);
    }
    const mixed = samples("incorrect_only").map(({ trace }) => trace.ending);
    expect(new Set(mixed)).toEqual(new Set(["give_up", "misread", "slip"]));
  });

  it("holds a true positive check unless it gives up", () => {
    for (const { trace } of samples("incorrect_only")) {
      const last = trace.record.verification.spans.at(-1);
      const verdict = trace.completion.slice(last?.start, last?.end);
      expect(/^(yes|that)/iu.test(verdict)).toBe(trace.ending !== "give_up");
    }
  });
});

describe("controls", () => {
  it("have the puzzles and answers of all_strategies, and length_matched its exact length", () => {
    const model = samples("all_strategies");
    for (const condition of ["empty_cot", "length_matched"] as const) {
      const control = samples(condition);
      expect(control.map(({ trace }) => trace.answer)).toEqual(
        model.map(({ trace }) => trace.answer),
      );
      if (condition === "empty_cot") continue;
      expect(control.map(({ trace }) => encodePieces(trace.completion).length)).toEqual(
        model.map(({ trace }) => encodePieces(trace.completion).length),
      );
    }
  });
});

describe("wording", () => {
  it("uses every phrase of every table", () => {
    const giveUp = { giveUpShare: 0.3 };
    const text = TAUGHT.flatMap((condition) => samples(condition, giveUp))
      .map(({ trace }) => trace.completion)
      .join("\n");
    for (const table of Object.values(phrases).filter(Array.isArray).flat() as (
      | string
      | readonly string[]
    )[]) {
      for (const phrase of typeof table === "string" ? [table] : table) {
        const pattern = phrase
          .replace(/[{}]/gu, "")
          .replace(/[.*+?()|[\]\\]/gu, "\\$&")
          .replace(/\$(?:rest|value)/gu, "[\\d or,and]+")
          .replace(/\$[a-z]+/gu, "\\d+");
        expect(text).toMatch(new RegExp(pattern, "u"));
      }
    }
  });
});

describe("more than three numbers", () => {
  it.each(["backtracking_verification", "all_strategies", "incorrect_only"] as const)(
    "gives traces of %s with true equations and the given numbers",
    (condition) => {
      const options = { ...OPTIONS, maxTokens: 600 };
      let written = 0;
      for (const puzzle of drawStudyPuzzles(40, 11, 4)) {
        const trace = writeTrace(puzzle, condition, Random.of(3, puzzle.id), options);
        if ("rejected" in trace) continue;
        written += 1;
        expect(numbersIn(trace.answer)).toEqual([...puzzle.numbers].sort((a, b) => a - b));
        for (const [equation] of trace.completion.matchAll(EQUATIONS)) {
          expect(isTrue(equation), equation).toBe(true);
        }
      }
      expect(written).toBeGreaterThan(20);
    },
  );
});
