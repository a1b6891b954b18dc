/** Steps of the teacher's search: whole positive values, the larger operand first for minus and divide. */
import type { Expression, Operator, Step } from "../countdown/index.ts";

/** Range of the values that a step may give. */
export interface ValueRange {
  readonly smallest: number;
  readonly largest: number;
}

/** A value on the table and the expression that made it. */
export interface Item {
  readonly value: number;
  readonly expression: Expression;
}

/** A given number on the table. */
export function givenItem(value: number): Item {
  return { value, expression: { kind: "number", value } };
}

/** Expression of an operation on two expressions. */
export function combine(operator: Operator, left: Expression, right: Expression): Expression {
  return { kind: "binary", operator, left, right };
}

/** Left side of a step: `9 + 8`. */
export function operation(step: Step): string {
  return `${step.left} ${step.operator} ${step.right}`;
}

/** A step as it stands in every text, without the space before it: `9 + 8 = 17`. */
export function equation(step: Step): string {
  return `${operation(step)} = ${step.result}`;
}

/** Result of an operation, or undefined where it is not a whole number. */
export function apply(operator: Operator, left: number, right: number): number | undefined {
  if (operator === "+") return left + right;
  if (operator === "-") return left - right;
  if (operator === "*") return left * right;
  return right !== 0 && left % right === 0 ? left / right : undefined;
}

/**
 * Equal for expressions that are the same up to commutativity, associativity and the place of a factor 1, which may stand
 * anywhere: of `12 * 1 + 6` and `( 12 + 6 ) * 1` a careful person tries one.
 */
export function canonicalKey(expression: Expression): string {
  const { rest, ones } = withoutOnes(expression);
  return `${"1*".repeat(ones)}${termKey(rest)}`;
}

interface Stripped {
  readonly rest: Expression;
  /** Factors 1 that were taken away. */
  readonly ones: number;
}

function withoutOnes(expression: Expression): Stripped {
  if (expression.kind !== "binary") return { rest: expression, ones: 0 };
  const left = withoutOnes(expression.left);
  const right = withoutOnes(expression.right);
  const ones = left.ones + right.ones;
  const { operator } = expression;
  if (operator === "*" && isOne(right.rest)) return { rest: left.rest, ones: ones + 1 };
  if (operator === "*" && isOne(left.rest)) return { rest: right.rest, ones: ones + 1 };
  return { rest: combine(operator, left.rest, right.rest), ones };
}

function isOne(expression: Expression): boolean {
  return expression.kind === "number" && expression.value === 1;
}

function termKey(expression: Expression): string {
  if (expression.kind !== "binary") return expressionText(expression);
  const additive = isAdditive(expression.operator);
  const terms: string[] = [];
  collect(expression, { additive, inverse: false }, terms);
  return `(${terms.sort().join("")})`;
}

/** The teacher makes numbers and operations only; a negation keeps its own key. */
function expressionText(expression: Exclude<Expression, { kind: "binary" }>): string {
  if (expression.kind === "number") return String(expression.value);
  return `~${termKey(expression.operand)}`;
}

function isAdditive(operator: Operator): boolean {
  return operator === "+" || operator === "-";
}

interface Side {
  readonly additive: boolean;
  /** Subtracted in a sum, divided by in a product. */
  readonly inverse: boolean;
}

function collect(expression: Expression, side: Side, terms: string[]): void {
  const { additive, inverse } = side;
  if (expression.kind !== "binary" || isAdditive(expression.operator) !== additive) {
    const sign = additive ? (inverse ? "-" : "+") : inverse ? "/" : "*";
    terms.push(`${sign}${termKey(expression)}`);
    return;
  }
  const turns = expression.operator === "-" || expression.operator === "/";
  collect(expression.left, side, terms);
  collect(expression.right, { additive, inverse: turns ? !inverse : inverse }, terms);
}
