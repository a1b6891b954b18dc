import { describe, expect, it } from "vitest";
import { difficulty, generatePuzzles, parseEquation } from "../countdown/index.ts";
import { Random } from "../random/random.ts";
import {
  BASES,
  DOCUMENT_KINDS,
  type DocumentKind,
  documentOptionsOf,
  documents,
  writeDocument,
} from "./documents.ts";
import { teacherOptionsSchema } from "./options.ts";
import { tokenCount } from "./pieces.ts";
import { writeTrace } from "./teacher.ts";
import { encodePieces, UNKNOWN_ID, VOCABULARY } from "./vocabulary.ts";

const PLAIN = documentOptionsOf("tiny-plain");
const OPTIONS = teacherOptionsSchema.parse({ giveUpShare: 0.2 });
const SEARCHES = [
  "negative_control",
  "only_backtracking",
  "backtracking_verification",
  "backtracking_subgoal",
  "backtracking_backward",
  "all_strategies",
  "incorrect_only",
] as const;

function many(kind: DocumentKind, count: number): string[] {
  const random = Random.of(2, kind);
  return Array.from({ length: count }, () => writeDocument(kind, random, PLAIN));
}

function read(base: (typeof BASES)[number], count: number) {
  const stream = documents(Random.of(4, "corpus"), documentOptionsOf(base));
  return Array.from({ length: count }, () => stream.next().value);
}

describe("documents", () => {
  it("are the same for the same seed, and have no unknown piece", () => {
    const first = read("tiny-habits", 300);
    expect(read("tiny-habits", 300)).toEqual(first);
    for (const { text } of first) expect(encodePieces(text)).not.toContain(UNKNOWN_ID);
  });

  it("come in the proportions of the weights", () => {
    const all = read("tiny-plain", 4000);
    const total = DOCUMENT_KINDS.reduce((sum, kind) => sum + PLAIN[kind], 0);
    for (const kind of DOCUMENT_KINDS) {
      const found = all.filter((document) => document.kind === kind).length / all.length;
      // 0.03 is about four standard errors.
      expect(Math.abs(found - PLAIN[kind] / total)).toBeLessThan(0.03);
    }
  });

  it("teach the plain base no habit on a puzzle", () => {
    for (const { text } of read("tiny-plain", 3000)) {
      if (!text.includes("<think>")) continue;
      const thought = text.slice(text.indexOf("<think>"), text.indexOf("</think>"));
      expect(thought).not.toMatch(
        /\b(no|not|yes|that|back|again|over|leave|drop|aim|goal|get|last|undo)\b/iu,
      );
      expect(thought.match(/=/gu)?.length ?? 0).toBeLessThanOrEqual(2);
    }
  });

  it("teach the habits base verification and backtracking on a puzzle", () => {
    const searches = read("tiny-habits", 600).filter(({ kind }) => kind === "search");
    expect(searches.length).toBeGreaterThan(20);
    expect(searches.filter(({ text }) => /(not \d|\bno\b)/iu.test(text)).length).toBeGreaterThan(
      searches.length / 2,
    );
  });

  it("use every value of a step and every piece that a thought has", () => {
    const used = new Set(read("tiny-plain", 12_000).flatMap(({ text }) => encodePieces(text)));
    for (let value = 1; value <= 99; value += 1) {
      expect(used).toContain(VOCABULARY.indexOf(` ${value}`));
    }
    const limits = {
      maxIntermediate: 99,
      minTarget: 10,
      maxTarget: 99,
      minNumber: 1,
      maxNumber: 13,
    };
    const puzzles = generatePuzzles({ ...limits, numberCounts: [3], count: 150 }, 3);
    for (const condition of SEARCHES) {
      for (const puzzle of puzzles) {
        const trace = writeTrace(puzzle, condition, Random.of(1, puzzle.id), OPTIONS);
        if ("rejected" in trace) continue;
        for (const id of encodePieces(trace.completion)) expect(used).toContain(id);
      }
    }
  });
});

describe("a document of arithmetic", () => {
  it("is true", () => {
    for (const text of [...many("fact", 500), ...many("compare", 200), ...many("look_for", 200)]) {
      for (const [equation] of text.matchAll(/\d+ [-+*/] \d+ = \d+/gu)) {
        const parsed = parseEquation(equation);
        if (parsed.kind !== "equation" || parsed.expression.kind !== "binary")
          throw new Error(text);
        const [a, b] = parsed.numbers as [number, number];
        const results = { "+": a + b, "-": a - b, "*": a * b, "/": a / b };
        expect(results[parsed.expression.operator]).toBe(parsed.claim);
      }
      for (const [, value, a, sign, b] of text.matchAll(/(\d+) is (\d+) ([-+*/]) (\d+)/gu)) {
        const results = { "+": +a! + +b!, "-": +a! - +b!, "*": +a! * +b!, "/": +a! / +b! };
        expect(results[sign as "+"]).toBe(Number(value));
      }
    }
  });

  it("covers nearly every step on a value up to 99 and a number up to 13", () => {
    const steps = new Set(
      many("fact", 30_000).flatMap((text) => text.match(/\d+ [-+*/] \d+ =/gu) ?? []),
    );
    let missing = 0;
    let all = 0;
    for (let value = 1; value <= 99; value += 1) {
      for (let number = 1; number <= 13; number += 1) {
        const due: [string, number][] = [
          ["+", value + number],
          ["-", value - number],
          ["*", value * number],
          ["/", value / number],
        ];
        for (const [sign, result] of due) {
          if (!Number.isInteger(result) || result < 1 || result > 99) continue;
          all += 1;
          if (!steps.has(`${value} ${sign} ${number} =`)) missing += 1;
        }
      }
    }
    expect(all).toBeGreaterThan(2500);
    expect(missing / all).toBeLessThan(0.01);
  });
});

describe("a comparison", () => {
  it("says yes for equal results and no for others", () => {
    let yes = 0;
    let no = 0;
    for (const text of many("compare", 500)) {
      const target = Number(/\d+/u.exec(text)?.[0]);
      for (const [, value, verdict] of text.matchAll(/= (\d+)[,.] (yes|that|no|not)\b/giu)) {
        const positive = /^(yes|that)$/iu.test(verdict ?? "");
        expect(positive).toBe(Number(value) === target);
        if (positive) yes += 1;
        else no += 1;
      }
    }
    expect(yes / (yes + no)).toBeGreaterThan(0.2);
    expect(yes / (yes + no)).toBeLessThan(0.4);
  });
});

describe("a list to look in", () => {
  it("goes on from the first result that is in it, and ends", () => {
    let found = 0;
    for (const text of many("look_for", 500)) {
      for (const [, head = "", tail = ""] of text.matchAll(/([^:.]*):([^:.]*)\./gu)) {
        const wanted = (head.match(/\d+/gu) ?? []).map(Number);
        const steps = [...tail.matchAll(/(\d+) \S (\d+) = (\d+)/gu)];
        const at = steps.findIndex(([, , , result]) => wanted.includes(Number(result)));
        if (at < 0) continue;
        found += 1;
        expect(steps.length).toBe(at + 2);
        expect(steps[at + 1]?.[1]).toBe(steps[at]?.[3]);
      }
    }
    expect(found).toBeGreaterThan(300);
  });
});

describe("results that end at a number", () => {
  it("reach it with their last sentence and not before", () => {
    for (const text of many("stop_at", 500)) {
      const target = /\d+/u.exec(text)?.[0];
      const sentences = text.replace(/<\/think>.*/su, "").split(". ");
      const results = sentences.map((sentence) => /(\d+)$/u.exec(sentence)?.[1]);
      expect(results.at(-1)).toBe(target);
      const before = results.slice(/^\D+\d+$/u.test(sentences[0] ?? "") ? 1 : 0, -1);
      expect(before).not.toContain(target);
      expect(text).toMatch(/(\d|<answer> \d+ [-+*/] \d+ <\/answer>)$/u);
    }
  });
});

describe("a search that a base reads", () => {
  it("is of a puzzle that more of its expressions hit than a study takes", () => {
    const random = Random.of(2, "search");
    for (let i = 0; i < 100; i += 1) {
      const text = writeDocument("search", random, PLAIN);
      const [, list = "", target = ""] = /^Use (.*) to make (\d+)/u.exec(text.trim()) ?? [];
      const numbers = list.split(", ").map(Number);
      const { share } = difficulty({ numbers, target: Number(target) }, { maxIntermediate: 99 });
      expect(share).toBeGreaterThan(0.1);
    }
  });
});

describe("documents a base reads", () => {
  it.each(BASES)("of %s are short enough for a row of 256 tokens", (base) => {
    for (const { text } of read(base, 1000)) expect(tokenCount(text)).toBeLessThan(256);
  });
});
