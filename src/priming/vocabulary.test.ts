import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { drawStudyPuzzles } from "../../test/support/study-puzzles.ts";
import { renderPrompt } from "../countdown/index.ts";
import { CONDITIONS } from "../data/rows.ts";
import { Tokenizer } from "../model/tokenizer.ts";
import { Random } from "../random/random.ts";
import { documentOptionsOf, documents } from "./documents.ts";
import { teacherOptionsSchema } from "./options.ts";
import { PIECE_PATTERN, splitPieces, tokenCount } from "./pieces.ts";
import { type TaughtCondition, writeTrace } from "./teacher.ts";
import {
  buildTokenizerConfig,
  buildTokenizerJson,
  EOS_ID,
  encodePieces,
  PAD_ID,
  SPECIAL_TOKENS,
  UNKNOWN_ID,
  VOCABULARY,
} from "./vocabulary.ts";

interface Golden {
  readonly pattern: string;
  readonly cases: readonly { readonly text: string; readonly pieces: readonly string[] }[];
}

const GOLDEN = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "../../test/golden/pieces.json"), "utf8"),
) as Golden;

const hub = new Tokenizer(buildTokenizerJson(), buildTokenizerConfig());

/** Prompts with traces of every condition, and documents of both bases. */
function ourTexts(): string[] {
  const options = teacherOptionsSchema.parse({ giveUpShare: 0.3 });
  const taught = CONDITIONS.filter((condition) => condition !== "none") as TaughtCondition[];
  const traces = drawStudyPuzzles(30, 5).flatMap((puzzle) =>
    taught.flatMap((condition) => {
      const trace = writeTrace(puzzle, condition, Random.of(1, puzzle.id), options);
      return "rejected" in trace ? [] : [renderPrompt(puzzle) + trace.completion];
    }),
  );
  const stream = documents(Random.of(1, "corpus"), documentOptionsOf("tiny-habits"));
  return [...traces, ...Array.from({ length: 500 }, () => stream.next().value.text)];
}

describe("pieces", () => {
  it("are those of the Rust tokenizers library for the same expression", () => {
    expect(GOLDEN.pattern).toBe(PIECE_PATTERN);
    for (const { text, pieces } of GOLDEN.cases) expect(splitPieces(text)).toEqual(pieces);
  });

  it("count a number, a word or a sign with its space as one token", () => {
    // Use | 9 | , | 8 | , | 6 | to | make | 66 | . | line feed | <think>
    expect(tokenCount("Use 9, 8, 6 to make 66.\n<think>")).toBe(12);
    expect(tokenCount(" </think>\n<answer> ( 9 + 8 ) * 6 </answer>")).toBe(11);
  });
});

describe("the tokenizer file", () => {
  it("puts the special tokens first, and no piece twice", () => {
    expect([PAD_ID, EOS_ID, UNKNOWN_ID].map((id) => VOCABULARY[id])).toEqual([...SPECIAL_TOKENS]);
    expect(new Set(VOCABULARY).size).toBe(VOCABULARY.length);
    expect(VOCABULARY.length).toBeLessThan(450);
  });

  it("gives the ids of the fast encoder and the text back, for every text that we write", () => {
    for (const text of ourTexts()) {
      const ids = encodePieces(text);
      expect(ids).not.toContain(UNKNOWN_ID);
      expect(hub.encode(text)).toEqual(ids);
      expect(hub.decode(ids)).toBe(text);
    }
  });

  it("gives the unknown token for what it does not hold", () => {
    expect(encodePieces("zebra 9")).toEqual([UNKNOWN_ID, VOCABULARY.indexOf(" 9")]);
    expect(hub.encode("zebra 9")).toEqual(encodePieces("zebra 9"));
  });

  it("encodes and leaves out the end-of-text token", () => {
    expect(hub.idOf("<eos>")).toBe(EOS_ID);
    expect(hub.decode([...encodePieces(" yes."), EOS_ID, PAD_ID])).toBe(" yes.");
  });
});
