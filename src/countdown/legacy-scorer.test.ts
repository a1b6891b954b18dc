import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { scoreLegacy } from "./legacy-scorer.ts";
import { evaluatePython } from "./python-arithmetic.ts";
import { scoreCompletion } from "./scorer.ts";

interface Vector {
  readonly text: string;
  readonly numbers: readonly number[];
  readonly target: number;
  readonly score: number;
}

const file = new URL("../../test/golden/countdown-legacy.jsonl", import.meta.url);
const vectors = readFileSync(file, "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Vector);

const task = { numbers: [9, 8, 6], target: 66 };

describe("scoreLegacy", () => {
  it("agrees with Python on every vector", () => {
    expect(vectors.length).toBeGreaterThan(120);
    for (const vector of vectors) {
      expect(scoreLegacy(vector.text, vector).score, JSON.stringify(vector)).toBe(vector.score);
    }
  });

  it("names its reasons", () => {
    const reasonOf = (text: string) => scoreLegacy(text, task).reason;
    expect(reasonOf("<answer>9*8-6</answer>")).toBe("no_speaker");
    expect(reasonOf("Assistant: <answer>9*8-6</answer>\n")).toBe("no_answer");
    expect(reasonOf("Assistant: <answer>9*8</answer>")).toBe("wrong_numbers");
    expect(reasonOf("Assistant: <answer>9*8-6=</answer>")).toBe("forbidden_character");
    expect(reasonOf("Assistant: <answer>9*8-6)</answer>")).toBe("refused");
    expect(reasonOf("Assistant: <answer>9+8+6</answer>")).toBe("wrong_value");
    expect(reasonOf("Assistant: <answer>9*8-6</answer>")).toBe("correct");
  });

  it("scores a response without a speaker when asked", () => {
    const text = "so\n<answer>9*8-6</answer>";
    expect(scoreLegacy(text, task, { responseOnly: true }).score).toBe(1);
    expect(scoreLegacy(`${text}\n`, task, { responseOnly: true }).score).toBe(0);
  });

  it("differs from the exact scorer where the published reward is wrong", () => {
    const power = { numbers: [2, 3], target: 8 };
    expect(scoreLegacy("Assistant: <answer>2**3</answer>", power).score).toBe(1);
    expect(scoreCompletion("Assistant: <answer>2**3</answer>", power).score).toBe(0.1);
    const late = "Assistant: <answer>9*8-6</answer>\n";
    expect([scoreLegacy(late, task).score, scoreCompletion(late, task).score]).toEqual([0, 1]);
  });

  it("is not held up by huge powers or deep nesting", () => {
    const nine = { numbers: [9, 9, 9], target: 1 };
    const start = performance.now();
    expect(scoreLegacy("Assistant: <answer>9**9**9</answer>", nine).reason).toBe("refused");
    const deep = `${"(".repeat(20_000)}9*8-6${")".repeat(20_000)}`;
    expect(scoreLegacy(`Assistant: <answer>${deep}</answer>`, task).reason).toBe("refused");
    expect(performance.now() - start).toBeLessThan(100);
  });
});

describe("evaluatePython", () => {
  // expected values from python3 -c "print(...)"
  it.each([
    ["2**3**2", 512n],
    ["-2**2", -4n],
    ["2**-1", 0.5],
    ["-7//2", -4n],
    ["7.5//-2", -4],
    ["1//0.1", 9],
    ["7/2", 3.5],
    ["1**99999999999999999999", 1n],
    ["2*+-+3", -6n],
  ])("%s is %s", (text, expected) => {
    expect(evaluatePython(text)).toBe(expected);
  });
});
