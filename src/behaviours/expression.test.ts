import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEquation, type Expression as Tree } from "../countdown/index.ts";
import { expressionKey, readExpression } from "./expression.ts";
import { tokenize } from "./lexer.ts";

function read(text: string) {
  return readExpression(tokenize(text), 0);
}

/** Value of a syntax tree from the parser of the scorer, which shares no code with this one. */
function treeValue(tree: Tree): number {
  if (tree.kind === "number") return tree.value;
  if (tree.kind === "negation") return -treeValue(tree.operand);
  const [left, right] = [treeValue(tree.left), treeValue(tree.right)];
  switch (tree.operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return right === 0 ? Number.NaN : left / right;
  }
}

const source = fc.letrec<{ sum: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    { withCrossShrink: true, maxDepth: 6 },
    fc.integer({ min: 0, max: 99 }).map(String),
    tie("sum").map((inner) => `(${inner})`),
  ),
  sum: fc
    .array(fc.tuple(fc.constantFrom("+", "-", "*", "/", " * ", " - "), tie("atom")), {
      minLength: 1,
      maxLength: 4,
    })
    .chain((rest) => tie("atom").map((first) => first + rest.flat().join(""))),
})).sum;

describe("an expression", () => {
  it("has the value that the scorer's parser gives it", () => {
    fc.assert(
      fc.property(source, (text) => {
        const parsed = parseEquation(text);
        const leaves = text.match(/\d+/gu)?.length ?? 0;
        fc.pre(parsed.kind === "equation" && leaves <= 40);
        if (parsed.kind !== "equation") return;
        const expected = treeValue(parsed.expression);
        const found = read(text);
        expect(found?.leaves.length).toBe(leaves);
        if (Number.isNaN(expected)) expect(found?.value).toBeNaN();
        else expect(found?.value).toBeCloseTo(expected, 6);
      }),
      { numRuns: 2000 },
    );
  });

  it("ends where the arithmetic ends", () => {
    // 9 + 8 is an expression of three tokens; the operator after it has no operand.
    expect(read("9 + 8 - so")).toMatchObject({ next: 3, leaves: [9, 8], value: 17 });
    expect(read("( 9 + 8")).toBeUndefined();
    expect(read("9 + 8 )")).toMatchObject({ next: 3, value: 17 });
  });

  it("has no value after a division by zero or a literal that is too long", () => {
    expect(read("6 / ( 3 - 3 )")?.value).toBeNaN();
    expect(read("1234567890123456 + 1")?.value).toBeNaN();
  });

  it("is bounded in depth and length", () => {
    expect(read("(".repeat(200) + "1".padEnd(1) + ")".repeat(200))).toBeUndefined();
    expect(read(Array(1000).fill("1").join("+"))?.leaves.length).toBeLessThan(100);
  });

  it("has one key for either order of a sum or product, and two for a difference", () => {
    const key = (text: string): string => expressionKey(read(text) as never);
    expect(key("9 * 8")).toBe(key("8 * 9"));
    expect(key("9 - 8")).not.toBe(key("8 - 9"));
    expect(key("9 + 8")).not.toBe(key("9 * 8"));
  });
});
