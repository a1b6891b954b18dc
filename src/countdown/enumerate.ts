/**
 * All distinct expressions over the given numbers whose every intermediate value is a whole number from 1 to a bound
 * (the search tree of the tiny task), each once up to commutativity and associativity.
 *
 * Expressions over each part of the numbers are made from two smaller ones. Their identity is a key in which sums are
 * flattened to signed terms and products to factors with exponents 1 or -1, each list sorted; a - (b - c) and
 * a + c - b share a key. Numbers that are equal are interchangeable. With positive values only, no sign can move
 * between factors, so equal keys are all the identities there are.
 */
import type { Expression, Operator } from "./expression.ts";
import { formExpression, type ValuedForm, visitValuedForms } from "./form-expression.ts";

/** An expression with its exact value. */
export interface ValuedExpression {
  readonly expression: Expression;
  /** Parts of the value in lowest terms, denominator positive; NaN for a part beyond 2^53 - 1. */
  readonly numerator: number;
  readonly denominator: number;
}

export interface EnumerateOptions {
  /** Only expressions whose every intermediate and final value is a whole number from 1 to this count. */
  readonly maxIntermediate?: number | undefined;
}

/** An expression of the bounded search. */
export interface WholeNode {
  readonly key: string;
  readonly kind: "number" | "sum" | "product";
  /** Sum: keys of terms after their sign. Product: keys of factors after `*` or `/`. Number: empty. */
  readonly parts: readonly string[];
  readonly value: number;
  readonly expression: Expression;
}

/**
 * Lists the distinct expressions that use each number once, in a fixed order, with their values.
 * Without `maxIntermediate` all rational intermediate values count; expressions that divide by zero have no value and
 * are left out.
 */
export function enumerateExpressions(
  numbers: readonly number[],
  options: EnumerateOptions = {},
): ValuedExpression[] {
  if (options.maxIntermediate === undefined) return enumerateRational(numbers);
  return enumerateWhole(numbers, options.maxIntermediate).map((node) => ({
    expression: node.expression,
    numerator: node.value,
    denominator: 1,
  }));
}

function enumerateRational(numbers: readonly number[]): ValuedExpression[] {
  const found: ValuedExpression[] = [];
  visitValuedForms(numbers, (form) => {
    const value = inLowestTerms(form);
    found.push({ expression: formExpression(form, { negative: false }), ...value });
    if (form.sign !== "free") return;
    const { numerator, denominator } = value;
    const expression = formExpression(form, { negative: true });
    found.push({ expression, numerator: 0 - numerator, denominator });
  });
  return found;
}

function inLowestTerms({ value }: ValuedForm): Pick<ValuedExpression, "numerator" | "denominator"> {
  let p = BigInt(value.numerator);
  let q = BigInt(value.denominator);
  if (q < 0n) [p, q] = [-p, -q];
  let divisor = q;
  for (let rest = p < 0n ? -p : p; rest !== 0n; ) [divisor, rest] = [rest, divisor % rest];
  return { numerator: toSafe(p / divisor), denominator: toSafe(q / divisor) };
}

function toSafe(value: bigint): number {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : Number.NaN;
}

/** The distinct expressions with whole intermediate values from 1 to `maxIntermediate`, as nodes with their value. */
export function enumerateWhole(
  numbers: readonly number[],
  maxIntermediate: number,
): readonly WholeNode[] {
  const sorted = [...numbers].sort((a, b) => b - a);
  const all = (1 << sorted.length) - 1;
  const nodesOf: WholeNode[][] = [[]];
  for (let subset = 1; subset <= all; subset += 1) {
    const found = new Map<string, WholeNode>();
    if ((subset & (subset - 1)) === 0) {
      const value = sorted[31 - Math.clz32(subset)] as number;
      const expression: Expression = { kind: "number", value };
      found.set(String(value), {
        key: String(value),
        kind: "number",
        parts: [],
        value,
        expression,
      });
    }
    // Each split once: the left part holds the lowest member.
    const lowest = subset & -subset;
    for (let part = (subset - 1) & subset; part > 0; part = (part - 1) & subset) {
      if ((part & lowest) === 0) continue;
      for (const a of nodesOf[part] ?? []) {
        for (const b of nodesOf[subset ^ part] ?? []) combine(a, b, maxIntermediate, found);
      }
    }
    nodesOf[subset] = [...found.values()];
  }
  return nodesOf[all] ?? [];
}

function combine(
  a: WholeNode,
  b: WholeNode,
  maxIntermediate: number,
  found: Map<string, WholeNode>,
): void {
  const [high, low] = a.value >= b.value ? [a, b] : [b, a];
  if (high.value + low.value <= maxIntermediate) add(found, "+", high, low);
  if (high.value > low.value && high.value - low.value <= maxIntermediate) {
    add(found, "-", high, low);
  }
  if (high.value * low.value <= maxIntermediate && low.value > 0) add(found, "*", high, low);
  if (low.value > 0 && high.value % low.value === 0 && high.value / low.value <= maxIntermediate) {
    add(found, "/", high, low);
    if (high.value === low.value) add(found, "/", low, high);
  }
}

function add(
  found: Map<string, WholeNode>,
  operator: Operator,
  left: WholeNode,
  right: WholeNode,
): void {
  const kind = operator === "+" || operator === "-" ? "sum" : "product";
  const parts = [...partsOf(left, kind, false)];
  parts.push(...partsOf(right, kind, operator === "-" || operator === "/"));
  parts.sort();
  const key = `(${parts.join("")})`;
  if (found.has(key)) return;
  const expression: Expression = {
    kind: "binary",
    operator,
    left: left.expression,
    right: right.expression,
  };
  found.set(key, { key, kind, parts, value: resultOf(operator, left, right), expression });
}

const INVERSE: Readonly<Record<string, string>> = { "+": "-", "-": "+", "*": "/", "/": "*" };

/** Flattened parts of a node inside a sum or product, inverted on the right of `-` or `/`. */
function partsOf(node: WholeNode, kind: "sum" | "product", inverted: boolean): readonly string[] {
  const parts = node.kind === kind ? node.parts : [`${kind === "sum" ? "+" : "*"}${node.key}`];
  if (!inverted) return parts;
  return parts.map((part) => `${INVERSE[part.charAt(0)]}${part.slice(1)}`);
}

function resultOf(operator: Operator, left: WholeNode, right: WholeNode): number {
  switch (operator) {
    case "+":
      return left.value + right.value;
    case "-":
      return left.value - right.value;
    case "*":
      return left.value * right.value;
    case "/":
      return left.value / right.value;
  }
}
