import fc from "fast-check";
import { expect, test } from "vitest";
import { StopScanner } from "./stop-strings.ts";

/** Feeds a text in pieces and returns what is left of it. */
function scan(pieces: readonly string[], stops: readonly string[]) {
  const scanner = new StopScanner(stops);
  let text = "";
  for (const piece of pieces) {
    const step = scanner.push(piece);
    text += step.text;
    if (step.stop !== undefined) return { text, stop: step.stop };
  }
  return { text: text + scanner.finish(), stop: undefined };
}

test("the text ends exactly before a stop string that lies across pieces", () => {
  expect(scan(["one </an", "swe", "r> two"], ["</answer>"])).toEqual({
    text: "one ",
    stop: "</answer>",
  });
});

test("a beginning that does not become a stop string is given out", () => {
  expect(scan(["a </an", "d>", " b"], ["</answer>"])).toEqual({
    text: "a </and> b",
    stop: undefined,
  });
  expect(scan(["a </answer"], ["</answer>"]).text).toBe("a </answer");
});

test("the stop string that is complete first wins, among those the longest", () => {
  expect(scan(["abcd"], ["abcd", "c"])).toEqual({ text: "ab", stop: "c" });
  expect(scan(["abcd"], ["d", "cd", "bcd"])).toEqual({ text: "a", stop: "bcd" });
});

test("nothing that may begin a stop string is given out before it is decided", () => {
  const scanner = new StopScanner(["aab"]);
  expect(scanner.push("xaa").text).toBe("x");
  expect(scanner.push("a").text).toBe("a"); // "aaa": the last two may still begin "aab"
  expect(scanner.push("b")).toEqual({ text: "", stop: "aab" });
});

/** The definition: read character by character, the text ends at the first place where some stop string is complete. */
function cutByDefinition(text: string, stops: readonly string[]): string {
  for (let end = 1; end <= text.length; end += 1) {
    const complete = stops.filter((stop) => text.slice(0, end).endsWith(stop));
    if (complete.length > 0) return text.slice(0, end - Math.max(...complete.map((s) => s.length)));
  }
  return text;
}

test("the cut depends on the text alone, not on its pieces", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 12 });
  const stop = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 4 });
  const property = fc.property(
    fc.array(letters, { maxLength: 8 }),
    fc.array(stop, { maxLength: 3 }),
    (pieces, stops) => {
      expect(scan(pieces, stops).text).toBe(cutByDefinition(pieces.join(""), stops));
    },
  );
  fc.assert(property, { numRuns: 500 });
});
