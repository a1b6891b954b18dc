import { Tokenizer as HubTokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { expect, test } from "vitest";
import { StopScanner } from "./stop-strings.ts";
import { TextStream } from "./text-stream.ts";

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

/** A byte-level vocabulary: token n is byte n, so that every character beyond ASCII takes several tokens. */
function byteTokenizer(): (ids: readonly number[]) => string {
  // GPT-2's printable stand-ins: bytes that print stand for themselves, the others follow from U+0100 on.
  const prints = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  const vocab: Record<string, number> = {};
  let shifted = 0;
  for (let byte = 0; byte < 256; byte += 1) {
    vocab[String.fromCodePoint(prints(byte) ? byte : 256 + shifted++)] = byte;
  }
  const json = {
    version: "1.0",
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: false },
    post_processor: null,
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab, merges: [] },
  };
  const hub = new HubTokenizer(json, {});
  return (ids) =>
    ids.length === 0 ? "" : hub.decode([...ids], { clean_up_tokenization_spaces: false });
}

test("pieces of text join to the text of all tokens, and none ends inside a character", () => {
  const decode = byteTokenizer();
  const text = "naïve café, 日本語 🙂 done";
  const stream = new TextStream(decode);
  const pieces = [...Buffer.from(text)].map((byte) => stream.push(byte));
  expect(pieces.join("") + stream.finish()).toBe(text);
  expect(pieces.join("")).not.toContain("\uFFFD");
  expect(pieces.filter((piece) => piece === "🙂")).toHaveLength(1);
});

test("bytes that are no characters give the same text piecewise as at once", () => {
  const decode = byteTokenizer();
  const bytes = fc.array(
    fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0xe6, 0x97, 0xa5)),
    { maxLength: 24 },
  );
  fc.assert(
    fc.property(bytes, (ids) => {
      const stream = new TextStream(decode);
      const joined = ids.map((id) => stream.push(id)).join("") + stream.finish();
      expect(joined).toBe(decode(ids));
    }),
    { numRuns: 300 },
  );
});
