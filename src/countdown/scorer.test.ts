import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { oracleScore } from "../../test/oracles/countdown.ts";
import { parseEquation } from "./expression.ts";
import { SCORE_REASONS, scoreCompletion } from "./scorer.ts";

interface Vector {
  readonly category: string;
  readonly numbers: readonly number[];
  readonly target: number;
  /** The text, or pieces with the number of times each is repeated. */
  readonly completion?: string;
  readonly parts?: readonly (readonly [string, number])[];
  readonly reason: string;
  readonly score: number;
}

const vectors = readFileSync(new URL("./fixtures/adversarial.jsonl", import.meta.url), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Vector);

function textOf({ completion, parts = [] }: Vector): string {
  return completion ?? parts.map(([text, times]) => text.repeat(times)).join("");
}

const task = { numbers: [9, 8, 6], target: 66 };

describe("the adversarial file", () => {
  it("has at least 300 different cases and every reason", () => {
    expect(new Set(vectors.map(textOf)).size).toBeGreaterThanOrEqual(300);
    expect(new Set(vectors.map((vector) => vector.reason))).toEqual(new Set(SCORE_REASONS));
  });

  const categories = [...new Set(vectors.map((vector) => vector.category))];
  it.each(categories)("gives the written score and reason: %s", (category) => {
    for (const vector of vectors.filter((candidate) => candidate.category === category)) {
      const { score, correct, reason } = scoreCompletion(textOf(vector), vector);
      expect({ score, correct, reason }, JSON.stringify(vector).slice(0, 300)).toEqual({
        score: vector.score,
        correct: vector.reason === "correct",
        reason: vector.reason,
      });
    }
  });

  it("agrees with the oracle on every case", () => {
    for (const vector of vectors) {
      const expected = oracleScore(textOf(vector), vector.numbers, vector.target);
      expect(expected, JSON.stringify(vector).slice(0, 300)).toBe(vector.score);
    }
  });

  it("takes less than a millisecond for each case", () => {
    for (const vector of vectors) {
      const text = textOf(vector);
      expect(fastestMs(() => scoreCompletion(text, vector))).toBeLessThan(1);
    }
  });
});

/** Shortest of several runs, so that a pause of the machine does not count. */
function fastestMs(work: () => unknown): number {
  let fastest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i += 1) {
    const start = performance.now();
    work();
    fastest = Math.min(fastest, performance.now() - start);
  }
  return fastest;
}

/** A random expression as text, with its exact value in BigInt and the numbers that it uses. */
interface Built {
  readonly text: string;
  readonly p: bigint;
  readonly q: bigint;
  readonly numbers: readonly number[];
}

const built: fc.Arbitrary<Built> = fc.letrec<{ tree: Built; leaf: Built }>((tie) => ({
  leaf: fc
    .oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 2 ** 53 - 1 }))
    .map((n) => ({ text: String(n), p: BigInt(n), q: 1n, numbers: [n] })),
  tree: fc.oneof(
    { maxDepth: 3, depthIdentifier: "expression" },
    tie("leaf"),
    fc.tuple(tie("tree"), fc.constantFrom("+", "-", "*", "/"), tie("tree"), fc.boolean()).map(join),
  ),
})).tree;

function join([a, operator, b, isNegated]: [Built, string, Built, boolean]): Built {
  const numbers = [...a.numbers, ...b.numbers];
  const text = `${isNegated ? "-" : ""}(${a.text} ${operator} ${b.text})`;
  const sign = isNegated ? -1n : 1n;
  if (operator === "*") return { text, p: sign * a.p * b.p, q: a.q * b.q, numbers };
  if (operator === "/") return { text, p: sign * a.p * b.q, q: a.q * b.p, numbers };
  const right = operator === "+" ? b.p * a.q : -b.p * a.q;
  return { text, p: sign * (a.p * b.q + right), q: a.q * b.q, numbers };
}

describe("scoreCompletion", () => {
  it("is right exactly when the value is the target, for values of any size", () => {
    let whole = 0;
    fc.assert(
      fc.property(built, fc.integer({ min: -1, max: 1 }), ({ text, p, q, numbers }, offset) => {
        const value = q === 0n ? undefined : p / q;
        const near = value === undefined ? 0 : Number(value) + offset;
        const target = Number.isSafeInteger(near) ? near : 0;
        const isHit = q !== 0n && p === BigInt(target) * q;
        if (isHit) whole += 1;
        const found = scoreCompletion(`<answer>${text}</answer>`, { numbers, target });
        expect(found.correct).toBe(isHit);
      }),
      { numRuns: 4000, seed: 1 },
    );
    expect(whole).toBeGreaterThan(300); // the property is not vacuous
  });

  it("does not depend on the order of the given numbers", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([9, 8, 6], { minLength: 3 }), (numbers) => {
        expect(scoreCompletion("<answer>9*8-6</answer>", { ...task, numbers }).score).toBe(1);
      }),
    );
  });

  it("is right with any white space between symbols and any typographic sign", () => {
    const space = fc.stringMatching(/^[ \t\n\r\u00a0\u2003\u3000]{0,3}$/);
    const times = fc.constantFrom("*", "×", "·", "⋅", "∙", "∗", "✕", "✖", "＊");
    const minus = fc.constantFrom("-", "−", "–", "—", "‐", "‑", "‒", "－");
    fc.assert(
      fc.property(space, times, minus, (gap, by, less) => {
        const text = ["", "9", by, "8", less, "6", "", "=", "66", ""].join(gap);
        expect(scoreCompletion(`<answer>${text}</answer>`, task).reason).toBe("correct");
      }),
    );
  });

  it("never throws on a text and gives 0, the format score or 1", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        const { score, correct, reason } = scoreCompletion(`<answer>${text}</answer>`, task);
        expect([0, 0.1, 1]).toContain(score);
        expect(score === 1).toBe(correct);
        expect(SCORE_REASONS).toContain(reason);
      }),
      { numRuns: 500 },
    );
  });

  it("gives the format score that is asked for, and the trimmed answer", () => {
    expect(scoreCompletion("<answer> 9 + 8 </answer>", task, { formatScore: 0 })).toEqual({
      score: 0,
      correct: false,
      reason: "wrong_numbers",
      answer: "9 + 8",
    });
    expect(scoreCompletion("9*8-6", task).answer).toBeNull();
  });

  it.each([
    [[9, -8, 6], 66],
    [[9, 8.5, 6], 66],
    [[], 66],
    [[9, 8, 6], 66.5],
    [[9, 8, Number.NaN], 66],
    [[9, 8, 2 ** 53], 66],
  ])("refuses a task that is no task: %j, %j", (numbers, target) => {
    expect(() => scoreCompletion("", { numbers, target })).toThrow(/expected whole numbers/);
  });
});

describe("parseEquation", () => {
  it("points at the first character that does not fit", () => {
    expect(parseEquation("9 * 8 - x")).toEqual({
      kind: "failure",
      reason: "not_an_expression",
      at: 8,
    });
    expect(parseEquation("9 ** 8")).toMatchObject({ reason: "forbidden_operator", at: 3 });
    expect(parseEquation("1.5")).toMatchObject({ reason: "decimal", at: 1 });
  });

  it("is left-associative and binds * and / tighter", () => {
    expect(parseEquation("8-4-2/1")).toMatchObject({
      expression: {
        operator: "-",
        left: { operator: "-", left: { value: 8 }, right: { value: 4 } },
        right: { operator: "/" },
      },
      numbers: [8, 4, 2, 1],
    });
  });
});
