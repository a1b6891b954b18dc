/** Tallies of checks, backtracks and computations on texts whose spans are set by hand. */
import { describe, expect, it } from "vitest";
import type { BehaviourRow, Completion, Span } from "../data/rows.ts";
import { evaluate, tallyValidity } from "./validity.ts";

function tally(
  text: string,
  spans: { checks?: [string, boolean?][]; backtracks?: string[] },
  stop: Completion["stop_reason"] = "stop",
) {
  let from = 0;
  const place = (part: string): Span => {
    const start = text.indexOf(part, from);
    if (start < 0) throw new Error(`"${part}" is not in the rest of the text`);
    from = start + part.length;
    return { start, end: from };
  };
  const cell = (found: Span[]) => ({ count: found.length, spans: found });
  const backtracking = cell((spans.backtracks ?? []).map(place));
  from = 0;
  const verification = cell(
    (spans.checks ?? []).map(([part, valid]) => ({
      ...place(part),
      ...(valid === undefined ? {} : { valid }),
    })),
  );
  const completion = { generated: text, stop_reason: stop } as Completion;
  const row = { verification, backtracking } as BehaviourRow;
  return tallyValidity(completion, row);
}

describe("checks", () => {
  it("are true by their verdict and sound when the computation before them is true too", () => {
    const text = "9 + 8 = 17, not 66. 9 * 8 = 71, not 66. 9 * 8 = 72, no. 72 - 6 = 66, is it?";
    const found = tally(text, {
      checks: [["not 66", true], ["not 66", true], ["no", false], ["is it"]],
    });
    expect(found).toMatchObject({ checks: 3, checksTrue: 2, checksSound: 1, checksUndecided: 1 });
  });
});

describe("backtracks", () => {
  it("change the attempt unless the same steps come again, and are fresh with a new step", () => {
    const text =
      "9 + 8 = 17. Back. 8 + 9 = 17. Back. 9 * 8 = 72. Back. 9 + 8 = 17, 9 * 8 = 72. Back.";
    const found = tally(text, { backtracks: ["Back", "Back", "Back", "Back"] });
    // Sum again in the other order: not changed. Product: changed and fresh. Both again: changed. Nothing: neither.
    expect(found).toMatchObject({ backtracks: 4, changed: 2, fresh: 1, backtracksOpen: 0 });
  });

  it("at the end of a text that was cut off are open", () => {
    const found = tally("9 + 8 = 17. Back.", { backtracks: ["Back"] }, "length");
    expect(found).toMatchObject({ backtracks: 0, backtracksOpen: 1 });
  });

  it("do not count the answer as another attempt", () => {
    const text = "9 + 8 = 17. Back.</think>\n<answer> 9 * 8 </answer>";
    expect(tally(text, { backtracks: ["Back"] })).toMatchObject({ backtracks: 1, changed: 0 });
  });
});

describe("computations", () => {
  it.each([
    ["9 * 8 = 72, 72 - 6 = 66", 2, 2],
    ["5 * 6 = 30 + 11 = 41", 2, 2],
    ["8 * 10 + 2 = 82, ( 9 + 8 ) * 6 = 102, 12 / 5 = 2.4", 3, 3],
    ["13 - 3 = 12, 7 / 2 = 3", 2, 0],
    ["aim for 72 = 72, 66 = 9 * 8 - 6", 0, 0],
    ["<answer> 1 + 1 = 3 </answer>", 0, 0],
    ["( 9 + 8 = 17", 0, 0],
  ])("%s: %i computations, %i true", (text, computations, computationsTrue) => {
    expect(tally(text, {})).toMatchObject({ computations, computationsTrue });
  });

  it("are evaluated with precedence, from the left, and not at all when broken", () => {
    expect(evaluate("2 + 3 * 4 - 6 / 3")).toBe(12);
    expect(evaluate("20 - 5 - 3")).toBe(12);
    expect(evaluate("( 2 + 3 ) \u00d7 4")).toBe(20);
    expect(evaluate("2 + ( 3")).toBeUndefined();
    expect(evaluate("2 / 0")).toBeUndefined();
  });

  it("are found in time that is linear in the text", () => {
    const text = `${"( ".repeat(50_000)}${"1 + ".repeat(50_000)}${"7".repeat(50_000)} = 1 + 1 = 2`;
    expect(tally(text, {})).toMatchObject({ computations: 1, computationsTrue: 1 });
  });
});
