import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BEHAVIOURS, type Behaviour } from "../data/rows.ts";
import { detectBehaviours } from "./detect.ts";

const PUZZLE = { numbers: [9, 8, 6], target: 66 };

/** Texts of the instances of a habit, with `+` or `-` behind a verification that is decided. */
function found(text: string, behaviour: Behaviour, puzzle = PUZZLE): string[] {
  return detectBehaviours(text, puzzle)[behaviour].spans.map(({ start, end, valid }) => {
    const mark = valid ? "+" : "-";
    return text.slice(start, end) + (valid === undefined ? "" : ` ${mark}`);
  });
}

describe("span of a verification", () => {
  it("is the clause of the comparison", () => {
    expect(found("9 + 8 = 17, not 66.", "verification")).toEqual(["not 66 +"]);
    expect(found("9 + 8 = 17. But 17 is less than 66, so go on.", "verification")).toEqual([
      "17 is less than 66 +",
    ]);
    expect(found("9+8=17≠66", "verification")).toEqual(["≠66 +"]);
  });

  it("is the first clause where several speak of the same result", () => {
    expect(found("72 - 6 = 66, yes, that is 66. The target.", "verification")).toEqual(["yes +"]);
  });

  it("is a bare verdict on the target, not on an aim that is open", () => {
    const aimed = "Can I make 11 from 9 and 8?";
    expect(found(`${aimed} 9 + 8 = 17, no. 9 - 8 = 1, no.`, "verification")).toEqual([]);
    // With all numbers used the verdict is on the whole attempt.
    expect(found(`${aimed} 9 + 8 = 17, 17 + 6 = 23, no.`, "verification")).toEqual(["no +"]);
    const puzzle = { numbers: [9, 8, 6], target: 17 };
    expect(found(`${aimed} 9 + 8 = 17, yes.`, "verification", puzzle)).toEqual(["yes +"]);
  });

  it("is the equation that is computed again", () => {
    const text = "9 * 8 = 72, 72 - 6 = 66. Check: 9 * 8 = 72, 72 - 6 = 66.";
    expect(found(text, "verification")).toEqual(["9 * 8 = 72 +", "72 - 6 = 66 +"]);
  });
});

describe("truth of a verification", () => {
  it.each([
    ["9 * 8 = 72, not 66", true],
    ["72 - 6 = 66, not 66", false],
    ["9 * 8 = 72, too small", false],
    ["9 * 8 = 72, that is 6 too many", true],
    ["9 * 8 = 72, that is 5 too many", false],
    ["9 * 8 = 72, off by 6", true],
    ["9 * 8 = 72, yes", false],
    ["9 * 8 = 72, close to 66", undefined],
    // The value as written counts, not the one that it should be.
    ["9 * 8 = 66, yes", true],
    ["9 * 8 = 72. Is that 66?", undefined],
    ["9 * 8 = 72. Is that 66? No.", true],
  ])("%s", (text, valid) => {
    const { spans } = detectBehaviours(text, PUZZLE).verification;
    expect(spans.map((span) => span.valid)).toEqual([valid]);
  });

  it("of a computation made again is the truth of its arithmetic", () => {
    const text = "9 * 8 = 71. Check: 9 * 8 = 72. Check: 9 * 8 = 71.";
    expect(found(text, "verification")).toEqual(["9 * 8 = 72 +", "9 * 8 = 71 -"]);
  });
});

describe("span of a backtrack", () => {
  it("is the first equation of the new combination where there are no words", () => {
    expect(found("9 + 8 = 17, 17 + 6 = 23. 9 * 8 = 72, 72 - 6 = 66.", "backtracking")).toEqual([
      "9 * 8 = 72",
    ]);
  });

  it("is the first clause of words, and the equation after them is the same instance", () => {
    const text = "9 + 8 = 17. Go back to the numbers. Start over. 9 * 8 = 72, 72 - 6 = 66.";
    expect(found(text, "backtracking")).toEqual(["Go back to the numbers"]);
  });

  it("counts a step from an earlier state", () => {
    expect(found("9 + 8 = 17, 17 + 6 = 23, 17 - 6 = 11", "backtracking")).toEqual(["17 - 6 = 11"]);
  });

  it("takes a value for the last result where both readings fit", () => {
    const puzzle = { numbers: [12, 6, 8], target: 48 };
    expect(found("12 - 6 = 6, 6 * 8 = 48", "backtracking", puzzle)).toEqual([]);
    expect(found("12 - 6 = 6, 6 + 12 = 18", "backtracking", puzzle)).toEqual(["6 + 12 = 18"]);
  });

  it("passes over a side result that is joined later", () => {
    const puzzle = { numbers: [9, 8, 6, 2], target: 29 };
    expect(found("9 + 8 = 17, 6 * 2 = 12, 17 + 12 = 29", "backtracking", puzzle)).toEqual([]);
    expect(found("9 + 8 = 17, 6 * 2 = 12", "backtracking", puzzle)).toEqual(["6 * 2 = 12"]);
  });
});

describe("span of an aim and of an inference", () => {
  it("is the clause that names the aim", () => {
    expect(found("First aim for 72: 9 * 8 = 72.", "subgoal_setting")).toEqual(["First aim for 72"]);
    expect(found("Subgoal: 72. 9 * 8 = 72.", "subgoal_setting")).toEqual(["72"]);
  });

  it("counts values joined by `or` as one aim and the same aim once", () => {
    const text = "Aim for 72 or 60 from 9 and 8. Aim for 72 or 60 from 9 and 8. Aim for 72.";
    expect(found(text, "subgoal_setting")).toEqual(["Aim for 72 or 60 from 9 and 8", "Aim for 72"]);
  });

  it("is the inverse equation, or the clause that says it", () => {
    expect(found("66 + 6 = 72, then 72 / 8 = 9.", "backward_chaining")).toEqual([
      "66 + 6 = 72",
      "72 / 8 = 9",
    ]);
    const words = "We need 72 before subtracting 6.";
    expect(found(words, "backward_chaining")).toEqual(["We need 72 before subtracting 6"]);
  });

  it("gives an aim in the sentence of its inference to the inference", () => {
    const same = "66 + 6 = 72, so we need 72.";
    expect(found(same, "subgoal_setting")).toEqual([]);
    expect(found("66 + 6 = 72. We need 72.", "subgoal_setting")).toEqual(["We need 72"]);
  });
});

describe("any text", () => {
  it("is not looked at inside answer tags", () => {
    const text = "9 * 8 = 72, no</think><answer>9 + 8 = 17, no, go back</answer> 72 - 6 = 66, yes";
    expect(found(text, "verification")).toEqual(["no +", "yes +"]);
    expect(found("<answer> 9 + 8 = 17. Go back. 9 * 8 = 72", "backtracking")).toEqual([]);
  });

  it.each([
    ["$9 \\times 8 = 72$, $\\frac{72}{6} = 12$"],
    ["9 × 8 = 72; 72 ÷ 6 = 12"],
    ["9 times 8 is 72, 72 divided by 6 is 12"],
    ["9 multiplied by 8 gives 72, which divided by 6 gives 12"],
    ["9*8=72, /6 = 12"],
    ["9 x 8 -> 72 => 72/6 -> 12"],
    ["**9 * 8 = 72**\n- 72 / 6 = 12"],
  ])("is read in the notation %s", (text) => {
    // One attempt, told apart by the new combination after it.
    expect(found(`${text}. 9 + 8 = 17.`, "backtracking")).toEqual(["9 + 8 = 17"]);
  });

  it("reads separators of thousands", () => {
    const puzzle = { numbers: [125, 9, 7], target: 1132 };
    const text = "125 * 9 = 1,125, 1,125 + 7 = 1,132, yes";
    expect(found(text, "verification", puzzle)).toEqual(["yes +"]);
    expect(found(text, "backtracking", puzzle)).toEqual([]);
  });

  it("never throws, and spans stay inside, in order, as many as counted", () => {
    const piece = fc.constantFrom(
      ..."9 8 6 66 72 17 23 0 1.5 1,000 + - * / = ( ) -> ≠ < > , . : ; ? ! \n no yes not is the target need aim for go back".split(
        " ",
      ),
      ..."try again check wait 66 $ \\frac{ } \\times ** <answer> </answer> last before or and from with more 🦊 é".split(
        " ",
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 80 }), fc.constantFrom(" ", ""), (pieces, glue) => {
        const text = pieces.join(glue);
        const cells = detectBehaviours(text, PUZZLE);
        for (const behaviour of BEHAVIOURS) {
          const { count, spans } = cells[behaviour];
          expect(count).toBe(spans.length);
          let before = 0;
          for (const { start, end } of spans) {
            expect(start).toBeGreaterThanOrEqual(before);
            expect(end).toBeGreaterThan(start);
            before = end;
          }
          expect(before).toBeLessThanOrEqual(text.length);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

describe("hostile text", () => {
  const LENGTH = 100_000;
  const many = (part: string): string => part.repeat(Math.ceil(LENGTH / part.length));
  const counted = (part: (i: number) => string): string => {
    let text = "";
    for (let i = 0; text.length < LENGTH; i += 1) text += part(i);
    return text;
  };
  it.each([
    ["opened parentheses", many("(")],
    ["nested sums", many("(1+")],
    ["a chain of results", many("1+1=2+")],
    ["digits", many("7")],
    ["unclosed answers", many("<answer")],
    ["fractions", many("\\frac{1}{")],
    ["unicode", many("🦊é漢")],
    ["a list", many("5, ")],
    ["backtracking", many("go back. 9 + 8 = 17. ")],
    ["a climb", counted((i) => `${i} + 1 = ${i + 1}. `)],
    ["inferences", counted((i) => `66 + ${i} = ${66 + i}. `)],
    ["aims", counted((i) => `aim for ${i + 100}. `)],
  ])("%s: takes linear time", (_name, text) => {
    const before = process.cpuUsage();
    detectBehaviours(text, PUZZLE);
    const { user, system } = process.cpuUsage(before);
    // Linear work takes 0.1 to 2 microseconds a character; quadratic work on this length would take minutes.
    expect((user + system) / text.length).toBeLessThan(20);
  });
});
