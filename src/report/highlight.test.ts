import fc from "fast-check";
import { parseHTML } from "linkedom";
import { describe, expect, it } from "vitest";
import { BEHAVIOURS, type Behaviour, type BehaviourCells, type Span } from "../data/rows.ts";
import { HABIT_LETTERS, highlight } from "./highlight.ts";

function cells(spans: Partial<Record<Behaviour, Span[]>>): BehaviourCells {
  return Object.fromEntries(
    BEHAVIOURS.map((name) => [
      name,
      { count: spans[name]?.length ?? 0, spans: spans[name] ?? ([] as Span[]) },
    ]),
  ) as BehaviourCells;
}

interface Node {
  readonly nodeType: number;
  readonly textContent: string;
  readonly className: string;
  readonly childNodes: Iterable<Node>;
}

/** For each character of the text, the classes of the mark around it. */
function classesByCharacter(markup: string): { text: string; classes: string[] } {
  const { document } = parseHTML(`<html><body><pre id="box">${markup}</pre></body></html>`);
  const box = document.getElementById("box") as unknown as Node;
  let text = "";
  const classes: string[] = [];
  for (const node of box.childNodes) {
    const own = node.nodeType === 1 ? node.className : "";
    for (let i = 0; i < node.textContent.length; i += 1) classes.push(own);
    text += node.textContent;
  }
  return { text, classes };
}

describe("highlighting", () => {
  it("marks exactly the characters of each span, also where spans overlap or nest", () => {
    const TEXT = "0123456789abcdefghij";
    const span = fc
      .tuple(fc.nat(TEXT.length), fc.nat(TEXT.length))
      .map(([a, b]) => ({ start: Math.min(a, b), end: Math.max(a, b) }));
    const spans = fc.record({
      verification: fc.array(span, { maxLength: 3 }),
      backtracking: fc.array(span, { maxLength: 3 }),
      subgoal_setting: fc.array(span, { maxLength: 3 }),
      backward_chaining: fc.array(span, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(spans, (all) => {
        const found = classesByCharacter(highlight(TEXT, cells(all)).text);
        expect(found.text).toBe(TEXT);
        for (let at = 0; at < TEXT.length; at += 1) {
          const expected = BEHAVIOURS.filter((habit) =>
            all[habit].some(({ start, end }) => start <= at && at < end),
          );
          expect(found.classes[at]).toBe(
            expected.map((habit) => `h-${HABIT_LETTERS[habit]}`).join(" "),
          );
        }
      }),
    );
  });

  it("puts a letter where an instance starts and says in words what is marked", () => {
    const markup = highlight(
      "abcdef",
      cells({
        verification: [{ start: 0, end: 4, valid: false }],
        backtracking: [{ start: 2, end: 6 }],
      }),
    ).text;
    expect(markup.match(/data-k="[VBSC]+"/g)).toEqual(['data-k="V"', 'data-k="B"']);
    expect(markup).toContain('title="Verification (false) + Backtracking"');
  });

  it("never splits a surrogate pair, wherever a span or the limit falls", () => {
    const text = "a😀b";
    for (let end = 1; end <= 4; end += 1) {
      const markup = highlight(text, cells({ verification: [{ start: 0, end }] })).text;
      expect(classesByCharacter(markup).text).toBe(text);
    }
    expect(highlight(text, undefined, 2).text).toMatch(/^a<span class="cut">/);
  });

  it("bounds a huge text and says how much is not shown", () => {
    const markup = highlight("x".repeat(100_000), undefined).text;
    expect(markup.length).toBeLessThan(4200);
    expect(markup).toContain("96,000 more characters not shown");
  });

  it("ignores spans outside of the text", () => {
    const far = cells({
      verification: [
        { start: 50, end: 60 },
        { start: -5, end: 1 },
      ],
    });
    expect(classesByCharacter(highlight("abc", far).text).classes).toEqual(["h-V", "", ""]);
  });
});
